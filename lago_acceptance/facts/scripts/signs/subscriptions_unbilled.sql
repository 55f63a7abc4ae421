-- The last period's end, by the customer's calendar: it begins a day there. What started later, was still on
-- trial, or was made later with a start in the past, has nothing to pay for it. Intervals: weekly, monthly, yearly,
-- quarterly, and from 1.33.4 on semiannual; what else there may be is not judged.
WITH active AS MATERIALIZED (
  SELECT subscriptions.id, subscriptions.started_at, subscriptions.created_at, subscriptions.billing_time, zone,
         plans.interval, plans.trial_period,
         ((subscriptions.subscription_at AT TIME ZONE 'UTC') AT TIME ZONE zone)::date AS first_day,
         ((now() - interval '2 hours') AT TIME ZONE zone)::date AS today
  FROM subscriptions
  JOIN plans ON plans.id = subscriptions.plan_id
  JOIN customers ON customers.id = subscriptions.customer_id
  JOIN organizations ON organizations.id = customers.organization_id
  CROSS JOIN LATERAL (
    SELECT coalesce(nullif(customers.timezone, ''), nullif(organizations.timezone, ''), 'UTC') AS zone) AS of
  WHERE subscriptions.status = 1 AND customers.deleted_at IS NULL
), counted AS (
  SELECT *, CASE interval WHEN 1 THEN 1 WHEN 3 THEN 3 WHEN 4 THEN 6 WHEN 2 THEN 12 END AS months,
         (extract(year FROM today) * 12 + extract(month FROM today)
          - extract(year FROM first_day) * 12 - extract(month FROM first_day))::int AS apart
  FROM active
), ended AS (
  SELECT *, CASE
    WHEN billing_time = 0 AND interval = 4 THEN date_trunc('year', today::timestamp)
      + CASE WHEN extract(month FROM today) > 6 THEN interval '6 months' ELSE interval '0' END
    WHEN billing_time = 0 THEN date_trunc(
      CASE interval WHEN 0 THEN 'week' WHEN 1 THEN 'month' WHEN 2 THEN 'year' WHEN 3 THEN 'quarter' END,
      today::timestamp)
    WHEN interval = 0 THEN first_day + floor((today - first_day) / 7.0)::int * interval '7 days'
    WHEN first_day + (apart / months * months) * interval '1 month' <= today
      THEN first_day + (apart / months * months) * interval '1 month'
    ELSE first_day + (apart / months * months - months) * interval '1 month'
  END AT TIME ZONE zone AS at
  FROM counted
)
SELECT ended.at AS since, ended.id AS example
FROM ended
WHERE (ended.started_at AT TIME ZONE 'UTC') + coalesce(trial_period, 0) * interval '1 day' < ended.at
  AND (ended.created_at AT TIME ZONE 'UTC') < ended.at
  AND NOT EXISTS (SELECT FROM invoice_subscriptions
                  WHERE subscription_id = ended.id AND ("timestamp" AT TIME ZONE 'UTC') >= ended.at)
