-- say validate_check_constraint(:credit_notes, {:name=>"credit_notes_organization_id_null"})
ALTER TABLE credit_notes VALIDATE CONSTRAINT credit_notes_organization_id_null;
ALTER TABLE credit_notes ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE credit_notes DROP CONSTRAINT credit_notes_organization_id_null;
