-- say add_check_constraint(:wallets, "organization_id IS NOT NULL", {:name=>"wallets_organization_id_null", :validate=>false})
ALTER TABLE wallets ADD CONSTRAINT wallets_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
