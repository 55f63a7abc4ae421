-- Lago marks them an hour after the due day has ended in UTC; those that it should have marked count as well.
SELECT payment_due_date::timestamptz AS since, coalesce(nullif(number, ''), id::text) AS example
FROM invoices
WHERE status = 1 AND payment_status <> 1 AND payment_dispute_lost_at IS NULL
  AND payment_due_date < ((now() AT TIME ZONE 'UTC') - interval '2 hours')::date - :overdue_days
