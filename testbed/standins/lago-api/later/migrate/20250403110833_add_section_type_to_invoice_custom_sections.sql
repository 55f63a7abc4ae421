CREATE TYPE invoice_custom_section_type AS ENUM ('manual', 'system_generated');
ALTER TABLE invoice_custom_sections ADD COLUMN section_type invoice_custom_section_type NOT NULL DEFAULT 'manual';
