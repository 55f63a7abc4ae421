\set ON_ERROR_STOP off
BEGIN READ ONLY;
SET LOCAL statement_timeout = '4s';
SELECT 'directory' || E'\t' || to_json(current_setting('data_directory'));
SELECT 'system' || E'\t' || to_json(system_identifier::text) FROM pg_control_system();
SELECT 'migrations' || E'\t' || json_build_object(
  'count', count(*), 'latest', max(version)) FROM schema_migrations;
SELECT 'tables' || E'\t' || coalesce(json_agg(tablename), '[]'::json)
FROM pg_tables WHERE schemaname = ANY (current_schemas(false));
-- signs
SELECT 'complete' || E'\t' || 'true';
ROLLBACK;
