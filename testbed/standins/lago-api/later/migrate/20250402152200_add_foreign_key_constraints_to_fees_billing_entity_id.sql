ALTER TABLE fees ADD CONSTRAINT fees_billing_entity_id_fkey FOREIGN KEY (billing_entity_id) REFERENCES billing_entities NOT VALID;
