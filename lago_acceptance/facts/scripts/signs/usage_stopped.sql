-- By the time at which the events happened: the index has it. The latest one that is not in the future. The suite's own
-- organization is used when the suite is.
SELECT latest.at AT TIME ZONE 'UTC' AS since, left(organizations.name, 60) AS example
FROM organizations
CROSS JOIN LATERAL (
  SELECT :'utc_now'::timestamp - :usage_hours * interval '1 hour' AS until) AS quiet
CROSS JOIN LATERAL (
  SELECT "timestamp" AS at FROM events
  WHERE organization_id = organizations.id AND deleted_at IS NULL AND "timestamp" <= :'utc_now'::timestamp
  ORDER BY "timestamp" DESC LIMIT 1) AS latest
WHERE latest.at < quiet.until AND organizations.name <> 'Lago acceptance checks, no customers'
  AND NOT EXISTS (
    SELECT FROM generate_series(0, 6) AS days(ago)
    WHERE NOT EXISTS (
      SELECT FROM events
      WHERE organization_id = organizations.id AND deleted_at IS NULL
        AND "timestamp" <= quiet.until - ago * interval '1 day'
        AND "timestamp" > quiet.until - (ago + 1) * interval '1 day'))
