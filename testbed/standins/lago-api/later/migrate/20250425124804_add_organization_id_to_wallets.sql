ALTER TABLE wallets ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_wallets_on_organization_id ON wallets (organization_id);
