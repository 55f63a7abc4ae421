CREATE EXTENSION IF NOT EXISTS "pgcrypto";

CREATE TABLE organizations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name character varying NOT NULL,
  default_currency character varying NOT NULL DEFAULT 'USD',
  country character varying,
  address_line1 character varying,
  address_line2 character varying,
  state character varying,
  zipcode character varying,
  email character varying,
  city character varying,
  legal_name character varying,
  legal_number character varying,
  timezone character varying NOT NULL DEFAULT 'UTC',
  net_payment_term integer NOT NULL DEFAULT 0,
  email_settings character varying[] NOT NULL DEFAULT '{}',
  document_numbering character varying NOT NULL,
  document_number_prefix character varying NOT NULL,
  tax_identification_number character varying,
  finalize_zero_amount_invoice boolean NOT NULL DEFAULT true,
  invoice_footer text,
  invoice_grace_period integer NOT NULL DEFAULT 0,
  document_locale character varying NOT NULL DEFAULT 'en',
  hmac_key character varying NOT NULL,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email character varying NOT NULL,
  password_digest character varying NOT NULL,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE memberships (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  user_id uuid NOT NULL REFERENCES users,
  role character varying NOT NULL DEFAULT 'admin',
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
