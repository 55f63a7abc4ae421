-- say add_check_constraint(:credit_notes, "organization_id IS NOT NULL", {:name=>"credit_notes_organization_id_null", :validate=>false})
ALTER TABLE credit_notes ADD CONSTRAINT credit_notes_organization_id_null CHECK (organization_id IS NOT NULL) NOT VALID;
