ALTER TABLE customers ADD COLUMN skip_invoice_custom_sections boolean NOT NULL DEFAULT false;
