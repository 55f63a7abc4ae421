\set ON_ERROR_STOP off
-- What an upgrade needs to know of the data, as cheaply as it can be had: what a constraint rules out is not counted, what
-- an index leads to is counted up to a bound, a small table is read, of a large one its first rows. No count begins after three seconds.
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY\; SET LOCAL statement_timeout = '2s'\; SET LOCAL lock_timeout = '200ms'\; SET LOCAL jit = off\; SET LOCAL max_parallel_workers_per_gather = 0\; SET LOCAL enable_bitmapscan = off\; SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT 'applied' || E'\t' || coalesce(json_agg(version ORDER BY version), '[]') FROM schema_migrations;
SELECT 'size' || E'\t' || pg_database_size(current_database());
WITH asked(key, name, columns, undone) AS (VALUES
-- proofs
), tables AS MATERIALIZED (
  SELECT name, to_regclass(quote_ident(name)) AS oid FROM (SELECT DISTINCT name FROM asked) AS names
), sized AS MATERIALIZED (
  SELECT name, pg_class.oid, greatest(reltuples, 0)::bigint AS rows, reltuples >= 0 AND relpages > 0 AS analyzed,
    pg_relation_size(pg_class.oid) AS bytes
  FROM tables LEFT JOIN pg_class ON pg_class.oid = tables.oid AND relkind IN ('r', 'p')
), parts AS MATERIALIZED (
  SELECT asked.*, sized.oid, rows, analyzed, bytes, attnum, attnotnull, undone = columns[1] || ' IS NULL' AS plain,
    undone = columns[1] || ' IS NULL' OR undone LIKE columns[1] || ' IS NULL AND %' AND undone NOT LIKE '% OR %' AS of_nulls,
    (SELECT count(*) FROM pg_attribute WHERE attrelid = sized.oid AND attname = ANY (columns) AND attnum > 0) = cardinality(columns) AS there
  FROM asked JOIN sized USING (name)
    LEFT JOIN pg_attribute ON attrelid = sized.oid AND attname = columns[1] AND attnum > 0
), lines AS MATERIALIZED (
  SELECT *, bytes > 4194304 AS large, CASE
    WHEN oid IS NULL THEN 'no table'
    WHEN NOT there THEN 'no column'
    WHEN NOT of_nulls THEN CASE WHEN bytes <= 4194304 THEN 'small' ELSE 'sample' END
    WHEN attnotnull OR 0 < (SELECT count(*) FROM pg_constraint WHERE conrelid = parts.oid AND contype = 'c' AND convalidated
        AND conkey = ARRAY[attnum] AND pg_get_constraintdef(pg_constraint.oid) ~* ('^CHECK \(+"?' || columns[1] || '"? IS NOT NULL\)+$'))
      THEN 'holds'
    -- To read so little takes no longer than to plan how to use an index.
    WHEN bytes <= 1048576 THEN 'small'
    -- 403 is the access method of B-trees.
    WHEN 0 < (SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indrelid = parts.oid AND indisvalid AND indpred IS NULL AND indkey[0] = attnum AND relam = 403)
      THEN 'index'
    WHEN bytes <= 4194304 THEN 'small'
    ELSE 'sample' END AS way
  FROM parts
)
SELECT statement FROM (
  SELECT 1 AS place, format('SELECT %L', string_agg('part' || E'\t' || json_build_object(
    'key', key, 'way', way, 'rows', rows, 'analyzed', analyzed, 'bytes', bytes), E'\n')) AS statement FROM lines
  UNION ALL SELECT 2, $$SET LOCAL statement_timeout = '500ms'$$
  UNION ALL SELECT 3, 'SET LOCAL enable_seqscan = off'
  UNION ALL SELECT 4, format($$SELECT 'count' || E'\t' || json_build_object('key', %L, 'open', count(*)) FROM (SELECT FROM %I WHERE %s LIMIT 1001) AS found WHERE clock_timestamp() < now() + interval '3s'$$,
    key, name, undone) FROM lines WHERE way = 'index'
  UNION ALL SELECT 5, 'SET LOCAL enable_seqscan = on'
  UNION ALL SELECT 6, format($$SELECT 'count' || E'\t' || json_build_object('key', %L, 'open', count(*) FILTER (WHERE %s), 'all', count(*)) FROM %I WHERE clock_timestamp() < now() + interval '3s'$$,
    key, undone, name) FROM lines WHERE way = 'small'
  UNION ALL SELECT 7, format($$SELECT 'count' || E'\t' || json_build_object('key', %L, 'open', count(*) FILTER (WHERE undone), 'read', count(*)) FROM (SELECT %s AS undone FROM %I LIMIT 10000) AS read WHERE clock_timestamp() < now() + interval '3s'$$,
    key, undone, name) FROM lines WHERE way = 'sample'
  UNION ALL SELECT 8, format($$SELECT 'count' || E'\t' || json_build_object('key', %L, 'null_share', null_frac) FROM pg_stats WHERE schemaname = ANY (current_schemas(false)) AND tablename = %L AND attname = %L$$,
    key, name, columns[1]) FROM lines WHERE plain AND large AND way IN ('index', 'sample')
) AS statements ORDER BY place
\gexec
SELECT 'seconds' || E'\t' || extract(epoch FROM clock_timestamp() - now());
SELECT 'complete' || E'\t' || 'true';
ROLLBACK;
