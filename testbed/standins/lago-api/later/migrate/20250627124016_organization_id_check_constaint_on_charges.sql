-- say add_check_constraint(:charges, "organization_id IS NOT NULL", {:name=>"charges_organization_id_null", :validate=>false})
ALTER TABLE charges ADD CONSTRAINT charges_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
