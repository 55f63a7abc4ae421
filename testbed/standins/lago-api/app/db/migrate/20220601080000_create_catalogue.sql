CREATE TABLE billable_metrics (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  name character varying NOT NULL,
  code character varying NOT NULL,
  description character varying,
  aggregation_type integer NOT NULL,
  field_name character varying,
  recurring boolean NOT NULL DEFAULT false,
  rounding_function character varying,
  rounding_precision integer,
  weighted_interval character varying,
  expression character varying,
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_billable_metrics_on_organization_id_and_code ON billable_metrics (organization_id, code) WHERE deleted_at IS NULL;

CREATE TABLE plans (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  parent_id uuid REFERENCES plans,
  name character varying NOT NULL,
  invoice_display_name character varying,
  code character varying NOT NULL,
  interval integer NOT NULL,
  description character varying,
  amount_cents bigint NOT NULL,
  amount_currency character varying NOT NULL,
  trial_period double precision,
  pay_in_advance boolean NOT NULL DEFAULT false,
  bill_charges_monthly boolean,
  pending_deletion boolean NOT NULL DEFAULT false,
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_plans_on_organization_id_and_code ON plans (organization_id, code) WHERE deleted_at IS NULL AND parent_id IS NULL;

CREATE TABLE charges (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  plan_id uuid NOT NULL REFERENCES plans,
  billable_metric_id uuid NOT NULL REFERENCES billable_metrics,
  invoice_display_name character varying,
  charge_model integer NOT NULL,
  invoiceable boolean NOT NULL DEFAULT true,
  pay_in_advance boolean NOT NULL DEFAULT false,
  prorated boolean NOT NULL DEFAULT false,
  min_amount_cents bigint NOT NULL DEFAULT 0,
  properties jsonb NOT NULL DEFAULT '{}',
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);

CREATE TABLE coupons (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  name character varying NOT NULL,
  code character varying,
  description text,
  coupon_type integer NOT NULL,
  amount_cents bigint,
  amount_currency character varying,
  percentage_rate numeric,
  frequency integer NOT NULL,
  frequency_duration integer,
  reusable boolean NOT NULL DEFAULT true,
  expiration integer NOT NULL,
  expiration_at timestamp(6),
  terminated_at timestamp(6),
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
