ALTER TABLE applied_coupons ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_applied_coupons_on_organization_id ON applied_coupons (organization_id);
