-- Activated by the day, every five minutes. A downgrade that waits for its period's end is pending too.
SELECT subscription_at AT TIME ZONE 'UTC' AS since, subscriptions.id AS example
FROM subscriptions
JOIN customers ON customers.id = subscriptions.customer_id
JOIN organizations ON organizations.id = customers.organization_id
CROSS JOIN LATERAL (
  SELECT coalesce(nullif(customers.timezone, ''), nullif(organizations.timezone, ''), 'UTC') AS zone) AS of
WHERE subscriptions.status = 0 AND previous_subscription_id IS NULL AND customers.deleted_at IS NULL
  AND ((subscription_at AT TIME ZONE 'UTC') AT TIME ZONE zone)::date
      <= ((now() - interval '15 minutes') AT TIME ZONE zone)::date
