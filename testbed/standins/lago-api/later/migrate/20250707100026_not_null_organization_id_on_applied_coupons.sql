-- say validate_check_constraint(:applied_coupons, {:name=>"applied_coupons_organization_id_null"})
ALTER TABLE applied_coupons VALIDATE CONSTRAINT applied_coupons_organization_id_null;
ALTER TABLE applied_coupons ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE applied_coupons DROP CONSTRAINT applied_coupons_organization_id_null;
