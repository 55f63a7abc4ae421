CREATE TABLE webhook_endpoints (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  organization_id uuid NOT NULL REFERENCES organizations,
  webhook_url character varying NOT NULL,
  signature_algo integer NOT NULL DEFAULT 0,
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
CREATE TABLE webhooks (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  webhook_endpoint_id uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
  webhook_type character varying NOT NULL,
  object_id uuid,
  payload json NOT NULL,
  endpoint character varying NOT NULL,
  status integer NOT NULL DEFAULT 0,
  retries integer NOT NULL DEFAULT 0,
  http_status integer,
  response character varying,
  last_retried_at timestamp(6),
  created_at timestamp(6) NOT NULL DEFAULT now(),
  updated_at timestamp(6) NOT NULL DEFAULT now()
);
