ALTER TABLE customers ADD CONSTRAINT customers_billing_entity_id_fkey FOREIGN KEY (billing_entity_id) REFERENCES billing_entities NOT VALID;
