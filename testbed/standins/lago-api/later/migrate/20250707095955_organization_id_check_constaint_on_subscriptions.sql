-- say add_check_constraint(:subscriptions, "organization_id IS NOT NULL", {:name=>"subscriptions_organization_id_null", :validate=>false})
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
