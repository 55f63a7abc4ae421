-- say validate_check_constraint(:customers, {:name=>"customers_billing_entity_id_null"})
ALTER TABLE customers VALIDATE CONSTRAINT customers_billing_entity_id_null;
ALTER TABLE customers ALTER COLUMN billing_entity_id SET NOT NULL;
ALTER TABLE customers DROP CONSTRAINT customers_billing_entity_id_null;
