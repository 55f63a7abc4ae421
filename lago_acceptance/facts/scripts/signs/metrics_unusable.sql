-- Aggregation types: count, sum, max, unique count, (4 was deleted), weighted sum, latest, custom.
SELECT updated_at AT TIME ZONE 'UTC' AS since, what || left(code, 60) AS example
FROM billable_metrics
CROSS JOIN LATERAL (SELECT CASE
  WHEN :values_known AND aggregation_type NOT IN (0, 1, 2, 3, 5, 6, 7) THEN 'aggregation_type of '
  WHEN aggregation_type NOT IN (0, 7) AND coalesce(field_name, '') = '' THEN 'field_name of ' END AS what) AS of
WHERE deleted_at IS NULL AND what IS NOT NULL
