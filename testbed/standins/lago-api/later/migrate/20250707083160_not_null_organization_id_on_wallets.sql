-- say validate_check_constraint(:wallets, {:name=>"wallets_organization_id_null"})
ALTER TABLE wallets VALIDATE CONSTRAINT wallets_organization_id_null;
ALTER TABLE wallets ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE wallets DROP CONSTRAINT wallets_organization_id_null;
