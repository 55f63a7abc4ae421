-- Billing times: calendar, anniversary. Statuses: pending, active, terminated, canceled, later ones incomplete.
SELECT subscriptions.updated_at AT TIME ZONE 'UTC' AS since, what || left(external_id, 60) AS example
FROM subscriptions
CROSS JOIN LATERAL (SELECT CASE
  WHEN :values_known AND billing_time NOT IN (0, 1) THEN 'billing_time of '
  WHEN :values_known AND status NOT BETWEEN 0 AND 4 THEN 'status of '
  WHEN status = 1 AND started_at IS NULL THEN 'started_at of '
  WHEN status < 2 AND subscription_at IS NULL THEN 'subscription_at of ' END AS what) AS of
WHERE what IS NOT NULL
