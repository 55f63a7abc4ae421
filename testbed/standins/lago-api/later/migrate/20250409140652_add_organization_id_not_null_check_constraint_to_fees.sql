-- say add_check_constraint(:fees, "organization_id IS NOT NULL", {:name=>"fees_organization_id_null", :validate=>false})
ALTER TABLE fees ADD CONSTRAINT fees_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
