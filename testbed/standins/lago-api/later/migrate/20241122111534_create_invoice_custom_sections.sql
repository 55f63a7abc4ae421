CREATE TABLE invoice_custom_sections (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  name character varying NOT NULL,
  code character varying NOT NULL,
  description character varying,
  display_name character varying,
  details character varying,
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
