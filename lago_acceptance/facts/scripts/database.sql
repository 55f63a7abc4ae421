\set ON_ERROR_STOP off
BEGIN READ ONLY;
SET LOCAL statement_timeout = '4s';
SELECT 'directory' || E'\t' || to_json(current_setting('data_directory'));
SELECT 'migrations' || E'\t' || json_build_object(
  'count', count(*), 'latest', max(version)) FROM schema_migrations;
SELECT 'tables' || E'\t' || coalesce(json_agg(tablename), '[]'::json)
FROM pg_tables WHERE schemaname = ANY (current_schemas(false));

-- Signs that billing works. Each answers {count, oldest (Unix time), examples}; statuses: docs/lago-facts.md,
-- section 5.
-- One that this schema can't answer leaves an error and no answer.
SELECT 'invoices_generating' || E'\t' || json_build_object(
  'count', count(*),
  'oldest', extract(epoch FROM min(created_at) AT TIME ZONE 'UTC'),
  'examples', (array_agg(id ORDER BY created_at))[1:3])
FROM invoices WHERE status = 3 AND created_at < (now() AT TIME ZONE 'UTC') - interval '15 minutes';

SELECT 'invoices_failed' || E'\t' || json_build_object(
  'count', count(*),
  'oldest', extract(epoch FROM min(created_at) AT TIME ZONE 'UTC'),
  'examples', (array_agg(id ORDER BY created_at))[1:3])
FROM invoices WHERE status = 4;

-- A file is made within seconds of finalization; one that was never made belongs to the last billing period.
SELECT 'invoices_without_file' || E'\t' || json_build_object(
  'count', count(*),
  'oldest', extract(epoch FROM min(updated_at) AT TIME ZONE 'UTC'),
  'examples', (array_agg(id ORDER BY updated_at))[1:3])
FROM invoices
WHERE status = 1
  AND updated_at < (now() AT TIME ZONE 'UTC') - interval '15 minutes'
  AND created_at > (now() AT TIME ZONE 'UTC') - interval '35 days'
  AND NOT EXISTS (SELECT FROM active_storage_attachments
                  WHERE record_type = 'Invoice' AND record_id = invoices.id AND name = 'file');

-- The last period's end, by the customer's calendar: it begins a day there. What started later, was still on
-- trial, or was made later with a start in the past, has nothing to pay for it. Intervals: weekly, monthly, yearly,
-- quarterly, and from 1.33.4 on semiannual; what else there may be is not judged.
WITH active AS (
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
SELECT 'subscriptions_unbilled' || E'\t' || json_build_object(
  'count', count(*),
  'oldest', extract(epoch FROM min(ended.at)),
  'examples', (array_agg(ended.id ORDER BY ended.at))[1:3])
FROM ended
WHERE (ended.started_at AT TIME ZONE 'UTC') + coalesce(trial_period, 0) * interval '1 day' < ended.at
  AND (ended.created_at AT TIME ZONE 'UTC') < ended.at
  AND NOT EXISTS (SELECT FROM invoice_subscriptions
                  WHERE subscription_id = ended.id AND ("timestamp" AT TIME ZONE 'UTC') >= ended.at);

-- Activated by the day, every five minutes. A downgrade that waits for its period's end is pending too.
SELECT 'subscriptions_pending' || E'\t' || json_build_object(
  'count', count(*),
  'oldest', extract(epoch FROM min(subscription_at) AT TIME ZONE 'UTC'),
  'examples', (array_agg(subscriptions.id ORDER BY subscription_at))[1:3])
FROM subscriptions
JOIN customers ON customers.id = subscriptions.customer_id
JOIN organizations ON organizations.id = customers.organization_id
CROSS JOIN LATERAL (
  SELECT coalesce(nullif(customers.timezone, ''), nullif(organizations.timezone, ''), 'UTC') AS zone) AS of
WHERE subscriptions.status = 0 AND previous_subscription_id IS NULL AND customers.deleted_at IS NULL
  AND ((subscription_at AT TIME ZONE 'UTC') AT TIME ZONE zone)::date
      <= ((now() - interval '15 minutes') AT TIME ZONE zone)::date;

SELECT 'webhooks_failed' || E'\t' || json_build_object(
  'count', count(*),
  'oldest', extract(epoch FROM min(updated_at) AT TIME ZONE 'UTC'),
  'examples', (array_agg(DISTINCT coalesce(http_status::text, 'no answer')))[1:3])
FROM webhooks WHERE status = 2 AND updated_at > (now() AT TIME ZONE 'UTC') - interval '24 hours';
ROLLBACK;
