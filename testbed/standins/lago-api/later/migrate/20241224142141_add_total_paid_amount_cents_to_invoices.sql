ALTER TABLE invoices ADD COLUMN total_paid_amount_cents bigint NOT NULL DEFAULT 0;
