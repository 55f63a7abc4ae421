-- From one code of an organization to the next by the index, so that a million events cost as much as their codes. What
-- came before its metric was deleted was counted.
WITH RECURSIVE codes AS (
  SELECT organizations.id AS organization_id, first.code, 1 AS number
  FROM organizations
  CROSS JOIN LATERAL (SELECT code FROM events WHERE organization_id = organizations.id ORDER BY code LIMIT 1) AS first
  UNION ALL
  SELECT codes.organization_id, next.code, number + 1
  FROM codes
  CROSS JOIN LATERAL (
    SELECT code FROM events WHERE organization_id = codes.organization_id AND code > codes.code ORDER BY code LIMIT 1) AS next
  WHERE number < 500
), strange AS MATERIALIZED (
  SELECT organization_id, code FROM codes
  WHERE NOT EXISTS (SELECT FROM billable_metrics
                    WHERE billable_metrics.organization_id = codes.organization_id
                      AND billable_metrics.code = codes.code AND billable_metrics.deleted_at IS NULL)
)
SELECT found.created_at AT TIME ZONE 'UTC' AS since, left(strange.code, 60) AS example
FROM strange
CROSS JOIN LATERAL (
  SELECT created_at FROM events
  WHERE events.organization_id = strange.organization_id AND events.code = strange.code AND events.deleted_at IS NULL
    AND created_at > :'utc_now'::timestamp - :unknown_hours * interval '1 hour'
  ORDER BY created_at DESC LIMIT 100) AS found
WHERE NOT EXISTS (SELECT FROM billable_metrics
                  WHERE billable_metrics.organization_id = strange.organization_id
                    AND billable_metrics.code = strange.code AND billable_metrics.deleted_at > found.created_at)
