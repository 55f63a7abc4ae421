-- say validate_check_constraint(:invoices, {:name=>"invoices_billing_entity_id_null"})
ALTER TABLE invoices VALIDATE CONSTRAINT invoices_billing_entity_id_null;
ALTER TABLE invoices ALTER COLUMN billing_entity_id SET NOT NULL;
ALTER TABLE invoices DROP CONSTRAINT invoices_billing_entity_id_null;
