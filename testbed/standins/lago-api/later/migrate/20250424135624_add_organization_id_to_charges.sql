ALTER TABLE charges ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_charges_on_organization_id ON charges (organization_id);
