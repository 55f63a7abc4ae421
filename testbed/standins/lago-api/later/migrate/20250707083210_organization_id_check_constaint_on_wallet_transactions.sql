-- say add_check_constraint(:wallet_transactions, "organization_id IS NOT NULL", {:name=>"wallet_transactions_organization_id_null", :validate=>false})
ALTER TABLE wallet_transactions ADD CONSTRAINT wallet_transactions_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
