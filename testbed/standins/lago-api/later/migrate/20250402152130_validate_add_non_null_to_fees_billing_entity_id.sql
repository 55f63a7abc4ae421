-- say validate_check_constraint(:fees, {:name=>"fees_billing_entity_id_null"})
ALTER TABLE fees VALIDATE CONSTRAINT fees_billing_entity_id_null;
ALTER TABLE fees ALTER COLUMN billing_entity_id SET NOT NULL;
ALTER TABLE fees DROP CONSTRAINT fees_billing_entity_id_null;
