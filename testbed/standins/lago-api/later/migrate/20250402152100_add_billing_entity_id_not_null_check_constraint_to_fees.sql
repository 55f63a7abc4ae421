-- say add_check_constraint(:fees, "billing_entity_id IS NOT NULL", {:name=>"fees_billing_entity_id_null", :validate=>false})
ALTER TABLE fees ADD CONSTRAINT fees_billing_entity_id_null CHECK (billing_entity_id IS NOT NULL) NOT VALID;
