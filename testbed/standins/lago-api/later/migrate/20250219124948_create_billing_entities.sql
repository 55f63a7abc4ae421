CREATE TYPE entity_document_numbering AS ENUM ('per_customer', 'per_billing_entity');
CREATE TABLE billing_entities (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  name character varying NOT NULL,
  code character varying NOT NULL,
  default_currency character varying NOT NULL DEFAULT 'USD',
  timezone character varying NOT NULL DEFAULT 'UTC',
  document_locale character varying NOT NULL DEFAULT 'en',
  document_numbering entity_document_numbering NOT NULL DEFAULT 'per_customer',
  document_number_prefix character varying,
  net_payment_term integer NOT NULL DEFAULT 0,
  archived_at timestamp(6),
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
