ALTER TABLE credits ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_credits_on_organization_id ON credits (organization_id);
