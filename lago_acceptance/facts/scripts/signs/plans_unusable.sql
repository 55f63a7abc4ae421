-- Intervals: weekly, monthly, yearly, quarterly, from 1.33.4 on semiannual. The API takes a negative amount, but no
-- invoice is valid whose total is negative.
SELECT updated_at AT TIME ZONE 'UTC' AS since, what || left(code, 60) AS example
FROM plans
CROSS JOIN LATERAL (SELECT CASE
  WHEN :values_known AND interval NOT BETWEEN 0 AND 4 THEN 'interval of '
  WHEN amount_cents < 0 THEN 'amount_cents of ' END AS what) AS judged
WHERE deleted_at IS NULL AND what IS NOT NULL
