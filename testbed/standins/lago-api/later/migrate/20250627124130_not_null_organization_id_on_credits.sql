-- say validate_check_constraint(:credits, {:name=>"credits_organization_id_null"})
ALTER TABLE credits VALIDATE CONSTRAINT credits_organization_id_null;
ALTER TABLE credits ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE credits DROP CONSTRAINT credits_organization_id_null;
