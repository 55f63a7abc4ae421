SELECT now() AS since, 'none' AS example
WHERE NOT EXISTS (SELECT FROM organizations)
