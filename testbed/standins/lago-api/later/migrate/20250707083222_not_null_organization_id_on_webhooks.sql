-- say validate_check_constraint(:webhooks, {:name=>"webhooks_organization_id_null"})
ALTER TABLE webhooks VALIDATE CONSTRAINT webhooks_organization_id_null;
ALTER TABLE webhooks ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE webhooks DROP CONSTRAINT webhooks_organization_id_null;
