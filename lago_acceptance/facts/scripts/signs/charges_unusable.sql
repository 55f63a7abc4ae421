-- Models: standard, graduated, package, percentage, volume, graduated percentage, custom, dynamic. What Ruby's BigDecimal
-- can't read, and ranges that are no list, end the job with an error. An amount is a text: a number with a fraction is
-- refused.
SELECT charges.updated_at AT TIME ZONE 'UTC' AS since, what || charges.id AS example
FROM charges
CROSS JOIN LATERAL (
  SELECT CASE WHEN jsonb_typeof(properties) = 'object' THEN properties ELSE '{}' END AS given) AS of
CROSS JOIN LATERAL (
  SELECT given ->> CASE charge_model WHEN 3 THEN 'rate' ELSE 'amount' END AS amount,
         given -> (ARRAY['graduated_ranges', NULL, NULL, 'volume_ranges', 'graduated_percentage_ranges'])[charge_model]
           AS ranges) AS priced
CROSS JOIN LATERAL (SELECT CASE
  WHEN :values_known AND charge_model NOT BETWEEN 0 AND 7 THEN 'charge_model of '
  WHEN plan_id IS NULL THEN 'plan of '
  WHEN billable_metric_id IS NULL THEN 'billable metric of '
  WHEN charge_model < 7 AND jsonb_typeof(properties) <> 'object' THEN 'properties of '
  WHEN charge_model IN (0, 2, 3) AND (
    amount IS NULL OR amount !~ '^\s*[-+]?[0-9_]*\.?[0-9_]+([eE][-+]?[0-9]+)?\s*$'
    OR (charge_model < 3 AND jsonb_typeof(given -> 'amount') <> 'string' AND amount ~ '\.')) THEN 'amount of '
  WHEN charge_model = 2 AND coalesce(given ->> 'package_size', '') !~ '^[1-9][0-9]*$' THEN 'package_size of '
  WHEN charge_model IN (1, 4, 5) AND coalesce(jsonb_typeof(ranges) <> 'array' OR ranges = '[]', true) THEN 'ranges of '
  END AS what) AS judged
WHERE charges.deleted_at IS NULL AND what IS NOT NULL
