-- say add_check_constraint(:credits, "organization_id IS NOT NULL", {:name=>"credits_organization_id_null", :validate=>false})
ALTER TABLE credits ADD CONSTRAINT credits_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
