-- Each organization's latest and earliest events, by the index on organization and time. A thousand are enough to tell.
SELECT found.created_at AT TIME ZONE 'UTC' AS since, left(code, 60) || ' of ' || to_char("timestamp", 'YYYY-MM-DD') AS example
FROM organizations
CROSS JOIN LATERAL (
  (SELECT created_at, code, "timestamp" FROM events
   WHERE organization_id = organizations.id AND deleted_at IS NULL
     AND "timestamp" > :'utc_now'::timestamp + :future_hours * interval '1 hour'
   ORDER BY "timestamp" DESC LIMIT 1000)
  UNION ALL
  (SELECT created_at, code, "timestamp" FROM events
   WHERE organization_id = organizations.id AND deleted_at IS NULL AND "timestamp" < '2000-01-01'
   ORDER BY "timestamp" LIMIT 1000)
) AS found
WHERE found.created_at > :'utc_now'::timestamp - :event_days * interval '1 day'
