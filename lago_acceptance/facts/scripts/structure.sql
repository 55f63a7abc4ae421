-- What the catalogs say of the tables in Lago's schema. The image's schema file is read in the same form (schema_file.rb).
-- A column that may not be NULL has "!" behind its name, or "!!" where no default fills it.
-- An index that is there and invalid has a finding of its own; one of a partitioned table has none.
WITH own AS MATERIALIZED (
  SELECT oid, relname, relrowsecurity FROM pg_class
  WHERE relnamespace = ANY (:'schemas'::oid[]) AND relkind IN ('r', 'p') AND NOT relispartition
), additions AS (
  SELECT relname, tgname AS name, CASE tgenabled WHEN 'D' THEN 'disabled trigger' ELSE 'trigger' END AS kind
  FROM pg_trigger JOIN own ON own.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL
  SELECT relname, rulename, 'rule' FROM pg_rewrite JOIN own ON own.oid = ev_class
  UNION ALL
  SELECT relname, 'row level security', 'row level security' FROM own WHERE relrowsecurity
  UNION ALL
  SELECT relname, conname, 'check constraint' FROM pg_constraint JOIN own ON own.oid = conrelid WHERE contype = 'c'
), found AS MATERIALIZED (
  SELECT json_build_object(
    'columns', (SELECT json_object_agg(relname, columns) FROM (
        SELECT relname, json_agg(attname || CASE WHEN NOT attnotnull THEN ''
            WHEN atthasdef OR attidentity <> '' THEN '!' ELSE '!!' END ORDER BY attnum) AS columns
        FROM own JOIN pg_attribute ON attrelid = own.oid
        WHERE attnum > 0 AND NOT attisdropped
        GROUP BY relname) AS listed),
    'unique', (SELECT json_agg(json_build_object(
        'table', own.relname, 'name', index.relname, 'partial', indpred IS NOT NULL,
        'columns', (SELECT json_agg(coalesce(attname, '(expression)') ORDER BY position)
          FROM generate_series(0, indnkeyatts - 1) AS position
          LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[position] AND attnum > 0)))
      FROM pg_index JOIN own ON own.oid = indrelid JOIN pg_class AS index ON index.oid = indexrelid
      WHERE indisunique AND (indisvalid OR index.relkind = 'i')),
    'foreign', (SELECT json_agg(json_build_object(
        'table', own.relname, 'target', target.relname, 'valid', convalidated,
        'columns', (SELECT json_agg(attname) FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey))))
      FROM pg_constraint JOIN own ON own.oid = conrelid JOIN pg_class AS target ON target.oid = confrelid
      WHERE contype = 'f' AND conparentid = 0),
    'unenforced', (SELECT json_agg(DISTINCT relname) FROM pg_trigger JOIN own ON own.oid = tgrelid
      WHERE tgisinternal AND tgenabled = 'D'),
    'additions', (SELECT json_agg(json_build_object('table', relname, 'name', name, 'kind', kind)) FROM additions),
    'functions', (SELECT json_agg(proname) FROM pg_depend AS belongs JOIN pg_proc ON pg_proc.oid = belongs.objid
      WHERE belongs.classid = 'pg_proc'::regclass
        AND belongs.refclassid = 'pg_namespace'::regclass AND belongs.refobjid = ANY (:'schemas'::oid[])
        AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')),
    'extensions', (SELECT json_agg(extname) FROM pg_extension))::text AS text
)
SELECT 'structure' || E'\t' || CASE WHEN length(text) < 180000 THEN text
  ELSE '{"error": "the schema has more tables and columns than can be compared"}' END
FROM found;
