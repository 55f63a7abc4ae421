\set ON_ERROR_STOP off
BEGIN READ ONLY;
SET LOCAL statement_timeout = '4s';
SELECT 'server' || E'\t' || json_build_object('version', current_setting('server_version'), 'encoding', current_setting('server_encoding'), 'user', current_user, 'database', current_database(), 'address', inet_server_addr());
SELECT 'directory' || E'\t' || to_json(current_setting('data_directory'));
SELECT 'migrations' || E'\t' || json_build_object('count', count(*), 'latest', max(version)) FROM schema_migrations;
SELECT 'tables' || E'\t' || coalesce(json_agg(tablename), '[]'::json) FROM pg_tables WHERE schemaname = 'public';
ROLLBACK;
