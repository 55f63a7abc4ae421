-- say validate_check_constraint(:subscriptions, {:name=>"subscriptions_organization_id_null"})
ALTER TABLE subscriptions VALIDATE CONSTRAINT subscriptions_organization_id_null;
ALTER TABLE subscriptions ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_organization_id_null;
