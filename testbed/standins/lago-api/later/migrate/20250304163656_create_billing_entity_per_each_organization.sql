INSERT INTO billing_entities (id, organization_id, name, code, default_currency, timezone, document_locale,
  document_numbering, document_number_prefix)
SELECT id, id, name, trim(both '_' from regexp_replace(lower(name), '[^a-z0-9_-]+', '_', 'g')), default_currency, timezone,
  document_locale, (CASE document_numbering WHEN 'per_organization' THEN 'per_billing_entity' ELSE 'per_customer' END)::entity_document_numbering,
  document_number_prefix
FROM organizations;
