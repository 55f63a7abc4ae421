-- say add_check_constraint(:invoices, "billing_entity_id IS NOT NULL", {:name=>"invoices_billing_entity_id_null", :validate=>false})
ALTER TABLE invoices ADD CONSTRAINT invoices_billing_entity_id_null CHECK (billing_entity_id IS NOT NULL) NOT VALID;
