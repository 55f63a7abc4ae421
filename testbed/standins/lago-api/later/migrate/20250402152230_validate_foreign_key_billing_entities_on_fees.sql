ALTER TABLE fees VALIDATE CONSTRAINT fees_billing_entity_id_fkey;
