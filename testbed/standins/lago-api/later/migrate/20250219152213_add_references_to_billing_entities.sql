ALTER TABLE customers ADD COLUMN billing_entity_id uuid;
ALTER TABLE invoices ADD COLUMN billing_entity_id uuid;
ALTER TABLE fees ADD COLUMN billing_entity_id uuid;
CREATE INDEX index_customers_on_billing_entity_id ON customers (billing_entity_id);
CREATE INDEX index_invoices_on_billing_entity_id ON invoices (billing_entity_id);
CREATE INDEX index_fees_on_billing_entity_id ON fees (billing_entity_id);
