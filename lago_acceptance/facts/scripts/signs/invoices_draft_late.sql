-- Lago finalizes a draft in the first hour after its grace period, counted from when it was made. Its issuing date is
-- that day in the customer's time zone; a day more is left to every zone.
SELECT least(due.at AT TIME ZONE 'UTC', issuing_date::timestamptz) AS since, invoices.id AS example
FROM invoices
JOIN customers ON customers.id = invoices.customer_id
JOIN organizations ON organizations.id = invoices.organization_id
CROSS JOIN LATERAL (
  SELECT invoices.created_at
         + coalesce(customers.invoice_grace_period, organizations.invoice_grace_period) * interval '1 day' AS at) AS due
WHERE invoices.status = 0
  AND (due.at < :'utc_now'::timestamp - :draft_hours * interval '1 hour'
       OR issuing_date < (:'utc_now'::timestamp - :draft_hours * interval '1 hour')::date - 1)
