-- Lago marks as overdue an hour after the due day has ended in UTC; what it should have marked counts as well. Nobody pays
-- in the organization in which this suite bills on a live host.
WITH unpaid AS MATERIALIZED (
  SELECT payment_status, payment_due_date, updated_at, coalesce(nullif(number, ''), id::text) AS example
  FROM invoices
  WHERE status = 1 AND payment_status <> 1 AND payment_dispute_lost_at IS NULL
    AND organization_id NOT IN (SELECT id FROM organizations WHERE name = 'Lago acceptance checks, no customers')
)
SELECT 'payments_failed' AS sign, updated_at AT TIME ZONE 'UTC' AS since, example
FROM unpaid WHERE payment_status = 2
UNION ALL
SELECT 'payments_overdue', payment_due_date::timestamptz, example
FROM unpaid
WHERE payment_due_date < (:'utc_now'::timestamp - interval '2 hours')::date - :overdue_days
