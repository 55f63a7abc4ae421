-- say validate_check_constraint(:charges, {:name=>"charges_organization_id_null"})
ALTER TABLE charges VALIDATE CONSTRAINT charges_organization_id_null;
ALTER TABLE charges ALTER COLUMN organization_id SET NOT NULL;
ALTER TABLE charges DROP CONSTRAINT charges_organization_id_null;
