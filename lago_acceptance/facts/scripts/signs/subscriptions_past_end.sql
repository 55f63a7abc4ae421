-- Terminated in every hour of the day on which they end, and on no later day.
SELECT ending_at AT TIME ZONE 'UTC' AS since, external_id AS example
FROM subscriptions
WHERE status = 1 AND ending_at < :'utc_now'::timestamp - :end_hours * interval '1 hour'
