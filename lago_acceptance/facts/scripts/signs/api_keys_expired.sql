-- Organizations none of whose keys is valid, and keys of no organization.
SELECT coalesce(max(expires_at), organizations.created_at) AT TIME ZONE 'UTC' AS since, left(organizations.name, 60) AS example
FROM organizations
LEFT JOIN api_keys ON api_keys.organization_id = organizations.id
GROUP BY organizations.id
HAVING NOT coalesce(bool_or(api_keys.id IS NOT NULL
                            AND (expires_at IS NULL OR expires_at > :'utc_now'::timestamp)), false)
UNION ALL
SELECT api_keys.created_at AT TIME ZONE 'UTC', 'a key of no organization'
FROM api_keys
WHERE NOT EXISTS (SELECT FROM organizations WHERE organizations.id = api_keys.organization_id)
