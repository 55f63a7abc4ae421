-- A file is made within seconds of finalization; one that was never made belongs to the last billing period.
SELECT updated_at AT TIME ZONE 'UTC' AS since, id AS example
FROM invoices
WHERE status = 1
  AND updated_at < :'utc_now'::timestamp - interval '15 minutes'
  AND created_at > :'utc_now'::timestamp - interval '35 days'
  AND NOT EXISTS (SELECT FROM active_storage_attachments
                  WHERE record_type = 'Invoice' AND record_id = invoices.id AND name = 'file')
