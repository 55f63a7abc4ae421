CREATE TABLE customers (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  external_id character varying NOT NULL,
  name character varying,
  firstname character varying,
  lastname character varying,
  customer_type character varying,
  sequential_id bigint NOT NULL,
  slug character varying NOT NULL,
  country character varying,
  address_line1 character varying,
  address_line2 character varying,
  state character varying,
  zipcode character varying,
  email character varying,
  city character varying,
  url character varying,
  phone character varying,
  logo_url character varying,
  legal_name character varying,
  legal_number character varying,
  currency character varying,
  tax_identification_number character varying,
  timezone character varying,
  invoice_grace_period integer,
  net_payment_term integer,
  document_locale character varying,
  shipping_address jsonb NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '[]',
  external_salesforce_id character varying,
  finalize_zero_amount_invoice character varying NOT NULL DEFAULT 'inherit',
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_customers_on_external_id_and_organization_id ON customers (external_id, organization_id) WHERE deleted_at IS NULL;

CREATE TABLE subscriptions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  customer_id uuid NOT NULL REFERENCES customers,
  plan_id uuid NOT NULL REFERENCES plans,
  previous_subscription_id uuid REFERENCES subscriptions,
  external_id character varying NOT NULL,
  name character varying,
  status integer NOT NULL,
  billing_time integer NOT NULL DEFAULT 0,
  subscription_at timestamp(6),
  started_at timestamp(6),
  trial_ended_at timestamp(6),
  ending_at timestamp(6),
  terminated_at timestamp(6),
  canceled_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE INDEX ON subscriptions (external_id);
CREATE INDEX ON subscriptions (status);

CREATE TABLE wallets (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  customer_id uuid NOT NULL REFERENCES customers,
  status integer NOT NULL DEFAULT 0,
  balance_currency character varying NOT NULL,
  name character varying,
  rate_amount numeric(30,5) NOT NULL,
  credits_balance numeric(30,5) NOT NULL DEFAULT 0,
  balance_cents bigint NOT NULL DEFAULT 0,
  credits_ongoing_balance numeric(30,5) NOT NULL DEFAULT 0,
  credits_ongoing_usage_balance numeric(30,5) NOT NULL DEFAULT 0,
  consumed_credits numeric(30,5) NOT NULL DEFAULT 0,
  expiration_at timestamp(6),
  last_balance_sync_at timestamp(6),
  last_consumed_credit_at timestamp(6),
  terminated_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE wallet_transactions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  wallet_id uuid NOT NULL REFERENCES wallets,
  status integer NOT NULL,
  transaction_status integer NOT NULL DEFAULT 0,
  transaction_type integer NOT NULL,
  amount numeric(30,5) NOT NULL,
  credit_amount numeric(30,5) NOT NULL,
  settled_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE applied_coupons (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  coupon_id uuid NOT NULL REFERENCES coupons,
  customer_id uuid NOT NULL REFERENCES customers,
  status integer NOT NULL DEFAULT 0,
  amount_cents bigint,
  amount_currency character varying,
  percentage_rate numeric,
  frequency integer NOT NULL,
  frequency_duration integer,
  frequency_duration_remaining integer,
  terminated_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
