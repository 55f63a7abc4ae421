-- What the catalogs say of the tables in Lago's schema. The image's schema file is read in the same form (schema_file.rb).
WITH own AS MATERIALIZED (
  SELECT pg_class.oid, relname, relrowsecurity FROM pg_class
  WHERE relnamespace = ANY (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))
    AND relkind IN ('r', 'p') AND NOT relispartition
), named AS MATERIALIZED (
  SELECT attrelid, attnum, attname, attnotnull FROM pg_attribute
  WHERE attrelid IN (SELECT oid FROM own) AND attnum > 0 AND NOT attisdropped
), keys AS (
  SELECT indexrelid, json_agg(coalesce(attname, '(expression)') ORDER BY position) AS columns
  FROM pg_index
  CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS keys(number, position)
  LEFT JOIN named ON attrelid = indrelid AND attnum = number
  WHERE indisunique AND indisvalid AND position <= indnkeyatts AND indrelid IN (SELECT oid FROM own)
  GROUP BY indexrelid
), additions AS (
  SELECT relname, tgname AS name, CASE tgenabled WHEN 'D' THEN 'disabled trigger' ELSE 'trigger' END AS kind
  FROM pg_trigger JOIN own ON own.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL
  SELECT relname, rulename, 'rule' FROM pg_rewrite JOIN own ON own.oid = ev_class
  UNION ALL
  SELECT relname, 'row level security', 'row level security' FROM own WHERE relrowsecurity
  UNION ALL
  SELECT relname, conname, 'check constraint' FROM pg_constraint JOIN own ON own.oid = conrelid WHERE contype = 'c'
), found AS (
  SELECT json_build_object(
    'columns', (SELECT json_object_agg(relname, columns) FROM own JOIN (
        SELECT attrelid, json_agg(attname || CASE WHEN attnotnull THEN '!' ELSE '' END ORDER BY attnum) AS columns
        FROM named GROUP BY attrelid) AS listed ON attrelid = own.oid),
    'unique', (SELECT json_agg(json_build_object(
        'table', own.relname, 'name', index.relname, 'partial', indpred IS NOT NULL, 'columns', columns))
      FROM keys JOIN pg_index USING (indexrelid) JOIN own ON own.oid = indrelid
      JOIN pg_class AS index ON index.oid = indexrelid),
    'foreign', (SELECT json_agg(json_build_object(
        'table', own.relname, 'target', target.relname, 'valid', convalidated,
        'columns', (SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey))))
      FROM pg_constraint JOIN own ON own.oid = conrelid JOIN pg_class AS target ON target.oid = confrelid
      WHERE contype = 'f' AND conparentid = 0),
    'unenforced', (SELECT json_agg(DISTINCT relname) FROM pg_trigger JOIN own ON own.oid = tgrelid
      WHERE tgisinternal AND tgenabled = 'D'),
    'additions', (SELECT json_agg(json_build_object('table', relname, 'name', name, 'kind', kind)) FROM additions),
    'functions', (SELECT json_agg(proname) FROM pg_proc
      WHERE pronamespace = ANY (SELECT oid FROM pg_namespace WHERE nspname = ANY (current_schemas(false)))
        AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')),
    'extensions', (SELECT json_agg(extname) FROM pg_extension))::text AS text
)
SELECT 'structure' || E'\t' || CASE WHEN length(text) < 180000 THEN text
  ELSE '{"error": "the schema has more tables and columns than can be compared"}' END
FROM found;
