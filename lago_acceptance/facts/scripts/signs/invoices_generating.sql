SELECT created_at AT TIME ZONE 'UTC' AS since, id AS example
FROM invoices WHERE status = 3 AND created_at < :'utc_now'::timestamp - interval '15 minutes'
