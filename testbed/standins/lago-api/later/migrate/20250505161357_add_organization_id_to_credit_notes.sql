ALTER TABLE credit_notes ADD COLUMN organization_id uuid REFERENCES organizations;
CREATE INDEX index_credit_notes_on_organization_id ON credit_notes (organization_id);
