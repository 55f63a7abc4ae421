\set ON_ERROR_STOP off
-- To compile a short question, or to start workers for it, takes longer than its answer.
-- As one message: a role's time-outs have no moment in between. LOCAL, for a pooler hands the session on. Where
-- work_mem is low, answers would need temporary files.
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY\; SET LOCAL statement_timeout = '4s'\; SET LOCAL lock_timeout = '1s'\; SET LOCAL jit = off\; SET LOCAL work_mem = '8MB'\; SET LOCAL max_parallel_workers_per_gather = 0\; SET LOCAL idle_in_transaction_session_timeout = 0\; SELECT CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL THEN set_config('transaction_timeout', '0', true) END AS no_time_out, (SELECT oid FROM pg_database WHERE datname = current_database()) AS database, (SELECT coalesce(array_agg(oid), '{}') FROM pg_namespace WHERE nspname = ANY (current_schemas(false))) AS schemas, now() AT TIME ZONE 'UTC' AS utc_now, current_setting('server_version_num')::integer >= 150000 AS has_database_collations \gset
SELECT 'directory' || E'\t' || to_json(current_setting('data_directory', true));
SELECT 'system' || E'\t' || to_json(system_identifier::text) FROM pg_control_system();
-- The server and the role that Lago logs in as. A crash of one process starts all but the first one again.
SELECT 'about' || E'\t' || json_build_object(
  'version', current_setting('server_version_num')::integer,
  'now', extract(epoch FROM clock_timestamp()),
  'started', extract(epoch FROM pg_postmaster_start_time()),
  'processes_started', (SELECT extract(epoch FROM min(backend_start)) FROM pg_stat_get_activity(NULL) WHERE backend_type = 'checkpointer'),
  'in_recovery', pg_is_in_recovery(),
  'standbys', (SELECT count(*) FROM pg_stat_get_wal_senders()),
  'role', current_user,
  'database', current_database(),
  'schemas', current_schemas(false),
  'superuser', current_setting('is_superuser')::boolean,
  'sees_all', pg_has_role('pg_read_all_stats', 'USAGE'),
  'password_until', (SELECT extract(epoch FROM rolvaliduntil) FROM pg_roles WHERE rolname = session_user AND isfinite(rolvaliduntil)));
-- The functions below the views of statistics: each view is planned with joins for names that are known here.
-- The address and state of others' sessions are hidden from a role that may not read all statistics, and the kind as well.
-- A holder keeps a lock on a table that stops writes, or keeps another session waiting: 0 is a prepared transaction.
WITH sessions AS MATERIALIZED (
  SELECT pid, left(application_name, 80) AS application, pg_get_userbyid(usesysid) AS role, host(client_addr) AS address, state,
    coalesce(datid = :'database', false) AS here, backend_type AS kind,
    extract(epoch FROM backend_start) AS since, extract(epoch FROM clock_timestamp() - xact_start) AS age,
    CASE WHEN state LIKE 'idle in transaction%' THEN extract(epoch FROM clock_timestamp() - state_change) END AS idle,
    extract(epoch FROM clock_timestamp() - query_start) AS asked
  FROM pg_stat_get_activity(NULL) WHERE pid <> pg_backend_pid()
), clients AS MATERIALIZED (
  SELECT * FROM sessions WHERE role IS NOT NULL AND coalesce(kind, 'client backend') = 'client backend'
), held AS MATERIALIZED (
  SELECT pid, relation, mode, granted FROM pg_locks
  WHERE NOT granted OR (locktype = 'relation' AND database = :'database'
    AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
), blocked AS (
  SELECT holder AS pid, count(*) AS waiting, max(asked) AS waited
  FROM (SELECT DISTINCT pid FROM held WHERE NOT granted LIMIT 20) AS waiting
    CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS holder LEFT JOIN sessions ON sessions.pid = waiting.pid
  GROUP BY holder
), strong AS (
  SELECT coalesce(pid, 0) AS pid, array_agg(DISTINCT relname ORDER BY relname) AS tables, array_agg(DISTINCT mode) AS modes
  FROM held JOIN pg_class ON pg_class.oid = relation
  WHERE granted AND relkind IN ('r', 'p') AND relnamespace = ANY (:'schemas'::oid[])
  GROUP BY 1
)
SELECT 'connections' || E'\t' || json_build_object(
  'used', count(*) + 1,
  'maximum', current_setting('max_connections')::integer,
  'reserved', current_setting('superuser_reserved_connections')::integer
    + coalesce(current_setting('reserved_connections', true)::integer, 0),
  'of_role', count(*) FILTER (WHERE role = session_user) + 1,
  'role_limit', (SELECT rolconnlimit FROM pg_roles WHERE rolname = session_user),
  'of_database', count(*) FILTER (WHERE here) + 1,
  'database_limit', (SELECT datconnlimit FROM pg_database WHERE oid = :'database'))
FROM clients
UNION ALL
SELECT 'clients' || E'\t' || coalesce(jsonb_agg(found), '[]')
FROM (
  SELECT address, application, role, here, kind IS NULL AS hidden, count(*) AS count, min(since) AS since
  FROM clients GROUP BY 1, 2, 3, 4, 5 ORDER BY count(*) DESC LIMIT 200) AS found
UNION ALL
SELECT 'transactions' || E'\t' || coalesce(jsonb_agg(found), '[]')
FROM (
  SELECT pid, application, role, address, state, age
  FROM clients WHERE here AND age > 60 ORDER BY age DESC LIMIT 20) AS found
UNION ALL
SELECT 'holders' || E'\t' || coalesce(jsonb_agg(found), '[]')
FROM (
  SELECT pid, application, role, address, state, kind, age, idle,
    EXISTS (SELECT FROM held WHERE held.pid = sessions.pid AND NOT granted) AS waits,
    coalesce(tables[1:5], '{}') AS tables, coalesce(modes, '{}') AS modes, coalesce(waiting, 0) AS waiting, waited
  FROM strong FULL JOIN blocked USING (pid) LEFT JOIN sessions USING (pid)
  WHERE pid <> pg_backend_pid()
  ORDER BY waiting DESC, age DESC NULLS LAST LIMIT 20) AS found;
-- server
SELECT 'prepared' || E'\t' || coalesce(json_agg(json_build_object(
  'name', gid, 'since', extract(epoch FROM prepared)) ORDER BY prepared), '[]')
FROM pg_prepared_xacts WHERE database = current_database();
SELECT 'slots' || E'\t' || coalesce(json_agg(json_build_object(
  'name', slot_name, 'kind', slot_type, 'active', active, 'held', pg_wal_lsn_diff(
    CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, restart_lsn))
  ORDER BY slot_name), '[]')
FROM pg_replication_slots WHERE NOT temporary;
SELECT 'archiver' || E'\t' || json_build_object(
  'on', current_setting('archive_mode') <> 'off', 'failed', failed_count, 'failed_at', extract(epoch FROM last_failed_time),
  'archived_at', extract(epoch FROM last_archived_time))
FROM pg_stat_get_archiver();
-- What is being built holds a lock on its table.
SELECT 'indexes' || E'\t' || coalesce(json_agg(json_build_object(
  'name', index.relname, 'table', parent.relname, 'unique', indisunique) ORDER BY index.relname), '[]')
FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_class AS parent ON parent.oid = indrelid
WHERE NOT (indisvalid AND indisready AND indislive) AND index.relkind = 'i'
  AND index.relnamespace = ANY (:'schemas'::oid[])
  AND NOT EXISTS (SELECT FROM pg_locks WHERE relation = indrelid AND granted AND mode = 'ShareUpdateExclusiveLock');
SELECT 'sequences' || E'\t' || coalesce(jsonb_agg(found ORDER BY name), '[]')
FROM (
  SELECT sequence.relname AS name, parent.relname AS table, least(seqmax, CASE atttypid
      WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647 ELSE seqmax END) AS maximum,
    CASE WHEN has_sequence_privilege(seqrelid, 'USAGE, SELECT') THEN pg_sequence_last_value(seqrelid) END AS last
  FROM pg_class AS sequence
    JOIN pg_sequence ON seqrelid = sequence.oid
    LEFT JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = seqrelid AND deptype IN ('a', 'i')
      AND refclassid = 'pg_class'::regclass AND refobjsubid > 0
    LEFT JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    LEFT JOIN pg_class AS parent ON parent.oid = refobjid
  WHERE sequence.relkind = 'S' AND sequence.relnamespace = ANY (:'schemas'::oid[]) AND NOT seqcycle AND seqincrement > 0
) AS found
WHERE last >= 0.8 * maximum;
-- As a session of Lago's begins, whatever this one has set.
SELECT 'settings' || E'\t' || json_object_agg(name, reset_val) FROM pg_settings WHERE name IN (
  'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout', 'idle_session_timeout',
  'default_transaction_read_only', 'default_transaction_isolation', 'session_replication_role', 'row_security', 'role',
  'search_path', 'temp_file_limit', 'DateStyle', 'fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names',
  'autovacuum');
SELECT 'set_for' || E'\t' || coalesce(json_agg(json_build_object(
  'name', split_part(entry, '=', 1), 'role', setrole <> 0, 'database', setdatabase <> 0)), '[]')
FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
WHERE setdatabase IN (0, :'database')
  AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user));
SELECT 'tables_off' || E'\t' || coalesce(json_agg(relname ORDER BY relname), '[]')
FROM pg_class
WHERE relkind = 'r' AND reloptions IS NOT NULL
  AND relnamespace = ANY (:'schemas'::oid[])
  AND EXISTS (SELECT FROM pg_options_to_table(reloptions) WHERE option_name = 'autovacuum_enabled' AND NOT option_value::boolean);
SELECT 'filtered' || E'\t' || coalesce(json_agg(relname ORDER BY relname), '[]')
FROM pg_class
WHERE relkind IN ('r', 'p') AND relrowsecurity AND row_security_active(oid)
  AND relnamespace = ANY (:'schemas'::oid[]);
SELECT 'homes' || E'\t' || coalesce(json_agg(json_build_object(
  'schema', nspname, 'usable', has_schema_privilege(pg_namespace.oid, 'USAGE')) ORDER BY nspname), '[]')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relname = 'schema_migrations' AND relkind = 'r'
  AND EXISTS (SELECT FROM pg_class AS other WHERE other.relnamespace = pg_namespace.oid AND other.relname = 'organizations');
SELECT 'refused' || E'\t' || coalesce(json_object_agg(relname, missing), '{}')
FROM (
  SELECT relname, array_agg(privilege) AS missing
  FROM pg_class CROSS JOIN unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS privilege
  WHERE relkind IN ('r', 'p') AND NOT has_table_privilege(pg_class.oid, privilege)
    AND relnamespace = ANY (:'schemas'::oid[])
    AND relname IN ('organizations', 'api_keys', 'customers', 'plans', 'charges', 'billable_metrics', 'subscriptions',
      'events', 'invoices', 'invoice_subscriptions', 'fees', 'credit_notes', 'payments', 'wallets', 'wallet_transactions',
      'webhooks', 'webhook_endpoints')
  GROUP BY relname) AS found;
\if :has_database_collations
SELECT 'collations' || E'\t' || coalesce(jsonb_agg(found), '[]')
FROM (
  SELECT 'the database' AS name, datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual
  FROM pg_database WHERE oid = :'database' AND datcollversion <> pg_database_collation_actual_version(oid)
  UNION ALL
  SELECT collname, collversion, pg_collation_actual_version(oid)
  FROM (
    SELECT oid, collname, collversion FROM pg_collation WHERE collversion IS NOT NULL AND oid IN (
      SELECT attcollation FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE attcollation NOT IN (0, 100, 950, 951) AND relnamespace = ANY (:'schemas'::oid[]))
    OFFSET 0) AS used
  WHERE collversion <> pg_collation_actual_version(oid)
) AS found;
\endif
-- everywhere
SELECT 'migrations' || E'\t' || json_build_object(
  'count', count(*), 'latest', max(version)) FROM schema_migrations;
SELECT 'tables' || E'\t' || coalesce(json_agg(tablename), '[]'::json)
FROM pg_tables WHERE schemaname = ANY (current_schemas(false));
-- signs
SELECT 'complete' || E'\t' || 'true';
ROLLBACK;
