-- say add_check_constraint(:webhooks, "organization_id IS NOT NULL", {:name=>"webhooks_organization_id_null", :validate=>false})
ALTER TABLE webhooks ADD CONSTRAINT webhooks_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
