-- Gives a tenant a row in the gateway's table of tenants, of which only the name is known. Variable: tenant (its id).
-- What the table wants besides is filled with a value of the column's type.
SELECT set_config('lago_acceptance.tenant', :'tenant', false);
DO $$
DECLARE
    tenant text := current_setting('lago_acceptance.tenant');
    each record;
    names text[] := '{}';
    given text[] := '{}';
    value text;
BEGIN
    IF to_regclass('tenants') IS NULL THEN
        RETURN;
    END IF;
    FOR each IN
        SELECT column_name AS name, data_type AS kind, udt_schema AS type_schema, udt_name AS type_name,
               character_maximum_length AS longest
        FROM information_schema.columns
        WHERE table_schema = current_schema() AND table_name = 'tenants' AND is_generated = 'NEVER'
          AND (column_name IN ('id', 'name', 'slug')
               OR (is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'))
    LOOP
        value := CASE
            WHEN each.name = 'id' OR each.kind IN ('character varying', 'text', 'character') THEN tenant
            WHEN each.kind LIKE 'timestamp%' OR each.kind LIKE 'time %' OR each.kind = 'date' THEN now()::text
            WHEN each.kind = 'boolean' THEN 'true'
            WHEN each.kind IN ('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision') THEN '0'
            WHEN each.kind IN ('json', 'jsonb') OR each.kind = 'ARRAY' THEN '{}'
            WHEN each.kind = 'uuid' THEN gen_random_uuid()::text
            ELSE (SELECT enumlabel FROM pg_enum
                  WHERE enumtypid = format('%I.%I', each.type_schema, each.type_name)::regtype
                  ORDER BY enumsortorder LIMIT 1)
        END;
        IF each.longest IS NOT NULL AND each.name <> 'id' THEN
            value := left(value, each.longest);
        END IF;
        names := names || quote_ident(each.name);
        given := given || quote_nullable(value);
    END LOOP;
    EXECUTE format('INSERT INTO tenants (%s) VALUES (%s) ON CONFLICT DO NOTHING',
                   array_to_string(names, ', '), array_to_string(given, ', '));
END
$$;
