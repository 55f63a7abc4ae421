-- say validate_check_constraint(:wallet_transactions, {:name=>"wallet_transactions_organization_id_null"})
ALTER TABLE wallet_transactions VALIDATE CONSTRAINT wallet_transactions_organization_id_null;
ALTER TABLE wallet_transactions ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE wallet_transactions DROP CONSTRAINT wallet_transactions_organization_id_null;
