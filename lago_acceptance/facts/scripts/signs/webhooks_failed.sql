SELECT updated_at AT TIME ZONE 'UTC' AS since, coalesce(http_status::text, 'no answer') AS example
FROM webhooks WHERE status = 2 AND updated_at > (now() AT TIME ZONE 'UTC') - interval '24 hours'
