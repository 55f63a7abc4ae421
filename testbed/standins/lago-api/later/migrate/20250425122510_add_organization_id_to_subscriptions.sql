ALTER TABLE subscriptions ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_subscriptions_on_organization_id ON subscriptions (organization_id);
