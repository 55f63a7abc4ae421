-- say validate_check_constraint(:invoice_subscriptions, {:name=>"invoice_subscriptions_organization_id_null"})
ALTER TABLE invoice_subscriptions VALIDATE CONSTRAINT invoice_subscriptions_organization_id_null;
ALTER TABLE invoice_subscriptions ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE invoice_subscriptions DROP CONSTRAINT invoice_subscriptions_organization_id_null;
