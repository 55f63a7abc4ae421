-- say add_check_constraint(:invoice_subscriptions, "organization_id IS NOT NULL", {:name=>"invoice_subscriptions_organization_id_null", :validate=>false})
ALTER TABLE invoice_subscriptions ADD CONSTRAINT invoice_subscriptions_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
