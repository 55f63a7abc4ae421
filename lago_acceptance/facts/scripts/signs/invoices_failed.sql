SELECT created_at AT TIME ZONE 'UTC' AS since, id AS example
FROM invoices WHERE status = 4
