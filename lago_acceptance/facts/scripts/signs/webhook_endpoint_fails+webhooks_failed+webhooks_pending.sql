-- Statuses: pending, succeeded, failed (until one of three attempts succeeds). An endpoint fails throughout when none of
-- at least three webhooks of these days has reached it. The URL of an endpoint may hold a secret: only its host is shown.
WITH recent AS MATERIALIZED (
  SELECT status, created_at, updated_at, http_status, webhook_type, webhook_endpoint_id
  FROM webhooks
  WHERE status = 0 OR updated_at > :'utc_now'::timestamp - :webhook_days * interval '1 day'
)
SELECT 'webhooks_failed' AS sign, updated_at AT TIME ZONE 'UTC' AS since, coalesce(http_status::text, 'no answer') AS example
FROM recent
WHERE status = 2 AND updated_at > :'utc_now'::timestamp - :webhook_days * interval '1 day'
UNION ALL
SELECT 'webhooks_pending', created_at AT TIME ZONE 'UTC', coalesce(webhook_type, 'of no type')
FROM recent
WHERE status = 0 AND created_at < :'utc_now'::timestamp - :webhook_hours * interval '1 hour'
UNION ALL
SELECT 'webhook_endpoint_fails', min(recent.created_at) AT TIME ZONE 'UTC',
       coalesce(substring(webhook_url FROM '^[a-z]+://(?:[^/@]*@)?([^/?#]+)'), 'an URL without host')
FROM recent
JOIN webhook_endpoints ON webhook_endpoints.id = recent.webhook_endpoint_id
WHERE recent.status <> 0
GROUP BY webhook_endpoints.id, webhook_url
HAVING count(*) > 2 AND bool_and(recent.status = 2)
