-- say add_check_constraint(:applied_coupons, "organization_id IS NOT NULL", {:name=>"applied_coupons_organization_id_null", :validate=>false})
ALTER TABLE applied_coupons ADD CONSTRAINT applied_coupons_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
