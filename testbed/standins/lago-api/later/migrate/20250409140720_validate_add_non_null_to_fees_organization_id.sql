-- say validate_check_constraint(:fees, {:name=>"fees_organization_id_null"})
ALTER TABLE fees VALIDATE CONSTRAINT fees_organization_id_null;
ALTER TABLE fees ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE fees DROP CONSTRAINT fees_organization_id_null;
