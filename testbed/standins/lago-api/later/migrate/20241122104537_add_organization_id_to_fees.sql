ALTER TABLE fees ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_fees_on_organization_id ON fees (organization_id);
