-- say add_check_constraint(:customers, "billing_entity_id IS NOT NULL", {:name=>"customers_billing_entity_id_null", :validate=>false})
ALTER TABLE customers ADD CONSTRAINT customers_billing_entity_id_null CHECK (billing_entity_id IS NOT NULL) NOT VALID;
