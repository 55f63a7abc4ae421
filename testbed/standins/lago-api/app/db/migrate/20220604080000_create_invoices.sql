CREATE TABLE invoices (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  customer_id uuid NOT NULL REFERENCES customers,
  sequential_id integer,
  number character varying NOT NULL DEFAULT '',
  issuing_date date NOT NULL,
  payment_due_date date NOT NULL,
  net_payment_term integer NOT NULL DEFAULT 0,
  invoice_type integer NOT NULL DEFAULT 0,
  status integer NOT NULL,
  timezone character varying NOT NULL DEFAULT 'UTC',
  payment_status integer NOT NULL DEFAULT 0,
  payment_overdue boolean NOT NULL DEFAULT false,
  payment_dispute_lost_at timestamp(6),
  currency character varying NOT NULL,
  fees_amount_cents bigint NOT NULL DEFAULT 0,
  coupons_amount_cents bigint NOT NULL DEFAULT 0,
  credit_notes_amount_cents bigint NOT NULL DEFAULT 0,
  prepaid_credit_amount_cents bigint NOT NULL DEFAULT 0,
  total_amount_cents bigint NOT NULL DEFAULT 0,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_invoices_on_customer_id_and_sequential_id ON invoices (customer_id, sequential_id);
CREATE INDEX ON invoices (status);
CREATE INDEX ON invoices (payment_overdue);

CREATE TABLE invoice_subscriptions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL REFERENCES invoices,
  subscription_id uuid NOT NULL REFERENCES subscriptions,
  invoicing_reason character varying NOT NULL,
  "timestamp" timestamp(6) NOT NULL,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE fees (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  invoice_id uuid REFERENCES invoices,
  subscription_id uuid NOT NULL REFERENCES subscriptions,
  charge_id uuid REFERENCES charges,
  fee_type character varying NOT NULL,
  invoiceable_type character varying,
  invoiceable_id uuid,
  amount_cents bigint NOT NULL,
  amount_currency character varying NOT NULL,
  units numeric NOT NULL,
  precise_unit_amount numeric NOT NULL DEFAULT 0,
  events_count integer,
  pay_in_advance boolean NOT NULL DEFAULT false,
  amount_details jsonb NOT NULL DEFAULT '{}',
  from_datetime timestamp(6) NOT NULL,
  to_datetime timestamp(6) NOT NULL,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE INDEX ON fees (invoiceable_type, invoiceable_id);

CREATE TABLE credit_notes (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  customer_id uuid NOT NULL REFERENCES customers,
  invoice_id uuid NOT NULL REFERENCES invoices,
  fee_id uuid NOT NULL REFERENCES fees,
  item_id uuid NOT NULL DEFAULT gen_random_uuid(),
  sequential_id integer NOT NULL,
  number character varying NOT NULL,
  reason character varying NOT NULL,
  credit_amount_currency character varying NOT NULL,
  credit_amount_cents bigint NOT NULL,
  balance_amount_cents bigint NOT NULL,
  issuing_date date NOT NULL,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE credits (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  invoice_id uuid NOT NULL REFERENCES invoices,
  credit_note_id uuid REFERENCES credit_notes,
  applied_coupon_id uuid REFERENCES applied_coupons,
  amount_cents bigint NOT NULL,
  amount_currency character varying NOT NULL,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE active_storage_blobs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  key character varying NOT NULL,
  filename character varying NOT NULL,
  content_type character varying,
  service_name character varying NOT NULL,
  byte_size bigint NOT NULL,
  checksum character varying,
  created_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_active_storage_blobs_on_key ON active_storage_blobs (key);

CREATE TABLE active_storage_attachments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name character varying NOT NULL,
  record_type character varying NOT NULL,
  record_id uuid NOT NULL,
  blob_id uuid NOT NULL REFERENCES active_storage_blobs,
  created_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_active_storage_attachments_uniqueness
  ON active_storage_attachments (record_type, record_id, name, blob_id);
