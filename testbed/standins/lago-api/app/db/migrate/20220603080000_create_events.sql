CREATE TABLE events (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  transaction_id character varying NOT NULL,
  code character varying NOT NULL,
  external_subscription_id character varying,
  timestamp timestamp(6) NOT NULL,
  properties jsonb NOT NULL DEFAULT '{}',
  precise_total_amount_cents numeric(40,15),
  deleted_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX index_unique_transaction_id ON events (organization_id, external_subscription_id, transaction_id);
CREATE INDEX ON events (external_subscription_id, code, timestamp);
CREATE INDEX ON events (organization_id, timestamp) WHERE deleted_at IS NULL;
CREATE INDEX ON events (organization_id, code);
CREATE INDEX ON events (organization_id, code, created_at) WHERE deleted_at IS NULL;
