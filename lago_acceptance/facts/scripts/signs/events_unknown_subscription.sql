-- Of the latest 1000 events of each organization.
SELECT latest.created_at AT TIME ZONE 'UTC' AS since, coalesce(left(external_subscription_id, 60), 'none') AS example
FROM organizations
CROSS JOIN LATERAL (
  SELECT created_at, external_subscription_id FROM events
  WHERE organization_id = organizations.id AND deleted_at IS NULL
    AND "timestamp" > :'utc_now'::timestamp - :unknown_hours * interval '1 hour'
  ORDER BY "timestamp" DESC LIMIT 1000) AS latest
WHERE NOT EXISTS (
  SELECT FROM subscriptions
  JOIN customers ON customers.id = subscriptions.customer_id
  WHERE subscriptions.external_id = external_subscription_id AND customers.organization_id = organizations.id)
