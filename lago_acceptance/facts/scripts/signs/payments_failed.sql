SELECT updated_at AT TIME ZONE 'UTC' AS since, coalesce(nullif(number, ''), id::text) AS example
FROM invoices
WHERE status = 1 AND payment_status = 2 AND payment_dispute_lost_at IS NULL
