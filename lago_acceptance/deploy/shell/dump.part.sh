# Dumps the database, while nothing writes into it or before data are filled in, reads the dump back, and notes what there is.
change_dump() {
    [ -n "$db_service" ] || fail "no container of this project is Lago's database: dump it yourself"
    mkdir -p "$here/backup"
    if [ -z "$(db_container)" ]; then
        old_compose up -d --pull never --no-deps $store_services
        wait_for 120 database_answers || fail "$db_service does not start: docker logs $(of_service "$db_service")"
    fi
    container=$(db_container)
    need=$(printf 'SELECT pg_database_size(current_database());' | psql_in "$container" "$database")
    [ "$(free_bytes "$here")" -gt "$need" ] || fail "the dump may need $((need / 1048576)) MiB, and $(($(free_bytes "$here") / 1048576)) MiB are free for $here"
    # What a dump that breaks off has written would fill the disk on which the journal is kept.
    trap 'rm -f "$here/backup/database.dump.part"' EXIT
    docker exec "$container" sh -c 'exec pg_dump -Fc -U "${POSTGRES_USER:-postgres}" -d "$1"' pg_dump "$database" >"$here/backup/database.dump.part"
    docker exec -i "$container" pg_restore -l <"$here/backup/database.dump.part" >"$here/backup/contents"
    grep -q 'TABLE DATA .* schema_migrations' "$here/backup/contents" || fail "the dump holds no schema_migrations: it is not one of Lago's database"
    sync "$here/backup/database.dump.part" 2>/dev/null || sync
    mv "$here/backup/database.dump.part" "$here/backup/database.dump"
    identity "$container" "$database" >"$here/backup/identity.part"
    mv "$here/backup/identity.part" "$here/backup/identity"
    keys "$container" >"$here/backup/api_keys"
    keep_jobs
}
# The jobs that wait, one a line: the key of their list or set, their time (0 in a list), the job.
keep_jobs() {
    store=$(redis_container)
    [ -n "$store" ] || return 0
    redis_in "$store" EVAL "
        local jobs = {}
        for _, name in ipairs(redis.call('SMEMBERS', 'queues')) do
            local key = 'queue:' .. name
            for _, job in ipairs(redis.call('LRANGE', key, 0, -1)) do jobs[#jobs + 1] = key .. '\t0\t' .. job end
        end
        for _, key in ipairs({'retry', 'schedule'}) do
            local found = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
            for at = 1, #found, 2 do jobs[#jobs + 1] = key .. '\t' .. found[at + 1] .. '\t' .. found[at] end
        end
        return jobs" 0 >"$here/backup/jobs"
}
# With the old data come the old jobs: what has run since has worked on data that are no more.
return_jobs() { # backup
    [ -s "$1/jobs" ] || return 0
    store=$(redis_container)
    while IFS="$tab" read -r key at job; do
        [ -n "$job" ] || continue
        printf '%s' "$job" | redis_in "$store" -x EVAL "
            local job = ARGV[#ARGV]
            local key, at = KEYS[1], ARGV[1]
            if at == '0' then
                if not redis.call('LPOS', key, job) then redis.call('RPUSH', key, job) end
            else redis.call('ZADD', key, at, job) end" 1 "$key" "$at"
    done <"$1/jobs" >/dev/null
}
# The first active API keys. Lago has moved them from organizations to a table of their own.
keys() { # container
    psql_in "$1" "$database" <<'END'
SELECT CASE WHEN to_regclass('api_keys') IS NULL THEN 'SELECT api_key FROM organizations LIMIT 5'
    ELSE 'SELECT value FROM api_keys WHERE expires_at IS NULL OR expires_at > now() ORDER BY created_at LIMIT 5' END
\gexec
END
}
# Which migrations the database has, as lines of name, tab, value.
schema() { # container
    [ -n "$1" ] || return 1
    psql_in "$1" "$database" <<'END'
\pset fieldsep '\t'
SELECT 'migrations', count(*) FROM schema_migrations;
SELECT 'latest_migration', max(version) FROM schema_migrations;
END
}
# What the database is and holds, and what waits in Redis: lines of name, tab, number or digest.
identity() { # container, database
    psql_in "$1" "$2" <<'END'
\pset fieldsep '\t'
SELECT 'system_identifier', system_identifier FROM pg_control_system();
SELECT 'migrations', count(*) FROM schema_migrations;
SELECT 'latest_migration', max(version) FROM schema_migrations;
SELECT format('SELECT %L, count(*) FROM %I', tablename, tablename) FROM pg_tables WHERE schemaname = ANY (current_schemas(false))
    AND tablename IN ('organizations', 'customers', 'plans', 'subscriptions', 'invoices', 'fees', 'events', 'wallets') ORDER BY 1
\gexec
SELECT 'SELECT ''zero_fees'', count(*) FROM fees WHERE fee_type::text IN (''0'', ''charge'') AND amount_cents = 0 AND units = 0 AND NOT pay_in_advance'
    WHERE (SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('fees') AND attname IN ('fee_type', 'amount_cents', 'units', 'pay_in_advance')) = 4
\gexec
SELECT 'size', pg_database_size(current_database());
END
    jobs
}
jobs() {
    store=$(redis_container)
    [ -n "$store" ] || return 0
    redis_in "$store" EVAL "
        local queued = 0
        for _, name in ipairs(redis.call('SMEMBERS', 'queues')) do queued = queued + redis.call('LLEN', 'queue:' .. name) end
        local lines = {'queued\t' .. queued, 'processed\t' .. (redis.call('GET', 'stat:processed') or 0)}
        for _, name in ipairs({'retry', 'schedule', 'dead'}) do lines[#lines + 1] = name .. '\t' .. redis.call('ZCARD', name) end
        return lines" 0
}
ask_identity() { identity "$(db_container)" "$database"; }

# Puts the old data back where a migration has run since. The database that was changed is kept under another name.
undo_dump() {
    [ -s "$here/backup/identity" ] || return 0
    old_compose up -d --pull never --no-deps $store_services
    wait_for 120 database_answers || fail "the database does not answer: $(docker ps -a --filter "label=com.docker.compose.service=$db_service" --format '{{.Status}}' | head -n 1)"
    container=$(db_container)
    schema_differs "$here/backup/identity" "$container" || return 0
    restore_dump "$container" "$here/backup" "$deploy_tag"
}
# Whether migrations have run since the identity was noted, or the database is not there at all.
schema_differs() { # identity, container
    was=$(awk -F "$tab" '$1 == "migrations" || $1 == "latest_migration" { print $2 }' "$1")
    is=$(printf 'SELECT count(*) FROM schema_migrations; SELECT max(version) FROM schema_migrations;' | psql_in "$2" "$database" 2>/dev/null) || is=unknown
    [ "$was" != "$is" ]
}
database_answers() { docker exec "$(db_container)" pg_isready -q -h 127.0.0.1 2>/dev/null; }

# The dump becomes the database: in a fresh one first, which takes the name only when it holds what the dump held.
restore_dump() { # container, backup, what to name the changed database by
    fresh=lago_restored_$3 broken=lago_broken_$3
    exists() { [ "$(printf "SELECT count(*) FROM pg_database WHERE datname = '%s';" "$1" | psql_in "$container" postgres)" = 1 ]; }
    if ! { exists "$broken" && exists "$database"; }; then
        if exists "$database"; then
            printf 'SET client_min_messages = warning;\nDROP DATABASE IF EXISTS "%s";\nCREATE DATABASE "%s" TEMPLATE template0;\n' "$fresh" "$fresh" | psql_in "$container" postgres
            docker exec -i "$container" sh -c 'exec pg_restore --exit-on-error -U "${POSTGRES_USER:-postgres}" -d "$1"' pg_restore "$fresh" <"$2/database.dump"
            same_counts "$1" "$fresh" "$2/identity" || fail "the restored database does not hold what the dump held; it is kept as $fresh"
            take_place "$database" "$broken"
        fi
        take_place "$fresh" "$database"
    fi
    say "The database was restored from the dump; the one that has changed since is kept as $broken."
    rm -f "$state/once"
    identity "$container" "$broken" >"$here/written_since" 2>/dev/null || :
    return_jobs "$2"
}
take_place() { # name, new name
    printf "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s';\nALTER DATABASE \"%s\" RENAME TO \"%s\";\n" "$1" "$1" "$2" |
        psql_in "$container" postgres >/dev/null
}
same_counts() { # container, database, identity
    of_database='^(organizations|customers|plans|subscriptions|invoices|fees|events|wallets|migrations|latest_migration)'
    identity "$1" "$2" | grep -E "$of_database" | sort >"$here/restored"
    grep -E "$of_database" "$3" | sort | cmp -s - "$here/restored"
}
