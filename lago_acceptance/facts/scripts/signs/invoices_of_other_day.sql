-- An invoice keeps the time zone that its customer had when it was made. The issuing date is a day from then until now, by
-- that zone; no zone is further than 14 hours from UTC. Judged where neither customer nor organization has changed since.
SELECT invoices.created_at AT TIME ZONE 'UTC' AS since, coalesce(nullif(number, ''), invoices.id::text) AS example
FROM invoices
JOIN customers ON customers.id = invoices.customer_id
JOIN organizations ON organizations.id = invoices.organization_id
WHERE invoices.status = 1
  AND invoices.created_at > :'utc_now'::timestamp - interval '35 days'
  AND invoices.created_at > greatest(customers.updated_at, organizations.updated_at)
  AND (invoices.timezone <> coalesce(nullif(customers.timezone, ''), nullif(organizations.timezone, ''), 'UTC')
       OR issuing_date > (:'utc_now'::timestamp + interval '14 hours')::date
       OR issuing_date < invoices.created_at::date - 2)
