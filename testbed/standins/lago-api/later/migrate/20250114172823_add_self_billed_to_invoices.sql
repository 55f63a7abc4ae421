ALTER TABLE invoices ADD COLUMN self_billed boolean NOT NULL DEFAULT false;
