ALTER TABLE webhooks ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_webhooks_on_organization_id ON webhooks (organization_id);
