# A rehearsal that walks from one release to the next. Beside what rehearse.part.sh needs, given/leg has the assignments of the leg
# that is walked (lago_image, migrate_to, and what fill.part.sh needs); ruby_answers and ruby_outside are programs.

# --- before anything is started ---

# The version of this PostgreSQL, then the migrations that the dump holds.
ask_schema() {
    docker run --rm -i --network none --entrypoint sh "$db_image" -c 'postgres --version; exec pg_restore -f - --data-only -t schema_migrations' <"$dump" \
        >"$here/schema" 2>"$here/said" || fail "$(dump_trouble)"
    sed -n 's/^postgres .* \([0-9][0-9.]*\).*/server\t\1/p; s/^\([0-9]\{14\}\)$/migration\t\1/p' "$here/schema" | sort
    rm -f "$here/schema"
}
# Gets the images of given/images; a line of image, tab, what was said for each that can't be had.
ask_images() {
    while IFS= read -r image; do
        [ -z "$image" ] || docker image inspect "$image" >/dev/null 2>&1 || docker pull -q "$image" >"$here/said" 2>&1 </dev/null ||
            say "$image$tab$(tail -n 1 "$here/said")"
    done <"$here/given/images"
}

# --- steps ---

# A key of the organization with most customers, and those of them with most invoices; kept for the second time.
sample() {
    [ ! -s "$here/sample" ] || return 0
    {
        od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
        echo
        psql_in "$(db_container)" "$database" <<'END'
SELECT CASE WHEN to_regclass('api_keys') IS NULL THEN 'SELECT id AS organization, api_key AS value FROM organizations'
    ELSE 'SELECT organization_id AS organization, value FROM api_keys WHERE expires_at IS NULL OR expires_at > now()' END AS keys
\gset
SELECT organization, value FROM (:keys) AS each
ORDER BY (SELECT count(*) FROM customers WHERE organization_id = organization) DESC, value LIMIT 1
\gset
SELECT :'value';
SELECT external_id FROM customers LEFT JOIN (SELECT customer_id, count(*) AS invoices FROM invoices GROUP BY 1) AS counted ON customer_id = customers.id
WHERE organization_id = :'organization' AND to_jsonb(customers) ->> 'deleted_at' IS NULL AND external_id !~ '[[:cntrl:]]'
ORDER BY invoices DESC NULLS LAST, external_id LIMIT 20;
END
    } >"$here/sample"
}
# What the API of this leg answers about the sample, before the first migration or after the last.
answers_of() { # file
    sample
    docker exec -i "$(running_of "$api_service")" ruby --disable-gems -e "$ruby_answers" <"$here/sample" >"$here/$1" 2>"$here/said" ||
        fail "the API's answers could not be read: $(tail -n 1 "$here/said")"
    say "customers$tab$(($(wc -l <"$here/sample") - 2))"
}
# Meanwhile it tries to reach what is outside, for which it need not have booted.
change_walk_before() {
    start_rehearsed_api
    try_outside >"$here/outside" 2>"$here/tried" &
    await_rehearsed_api
    answers_of answers.before
    wait
    docker rm -f "$(running_of "$api_service")" >/dev/null
}
undo_walk_before() { rm -f "$here/sample" "$here"/answers.* "$here/answer" "$here/given/request"; }
# With the locks that it holds meanwhile.
change_walk_migrate() {
    docker rm -f "$project-lago-migrate-1" >/dev/null 2>&1 || :
    : >"$here/sampling"
    sample_locks >"$here/locks" 2>/dev/null &
    code=0
    (change_rehearse_migrate) || code=$?
    rm -f "$here/sampling"
    wait
    return "$code"
}
undo_walk_migrate() { :; }
# Sidekiq of this leg's release, with all queues. The Redis that it reads began empty. Until it reads them, other work can begin.
change_walk_work() {
    [ -n "$(running_of lago-worker)" ] || lago_apart lago-worker worker 1536m --detach=true ./scripts/start.worker.sh >/dev/null
}
undo_walk_work() { :; }
rehearsed_worker() { printf '%s' "$project-lago-worker-1"; }
rehearsed_worker_reads() {
    runs "$(rehearsed_worker)" || fail "the worker ended: $(docker logs --tail 1 "$(rehearsed_worker)" 2>&1)"
    host=$(docker inspect -f '{{.Config.Hostname}}' "$(running_of lago-worker)")
    redis_in "$(redis_container)" SMEMBERS processes | grep -q "^$host:"
}
# Both at once, to lose no time: each takes its while.
change_walk_up() {
    change_walk_work
    start_rehearsed_api
}
undo_walk_up() { :; }
change_walk_ready() {
    await_rehearsed_api
    wait_for 120 rehearsed_worker_reads || fail "the worker did not start: $(docker logs --tail 1 "$(rehearsed_worker)" 2>&1)"
}
undo_walk_ready() { :; }
change_walk_rest() { docker rm -f "$(rehearsed_worker)" >/dev/null; }
undo_walk_rest() { :; }
in_rehearsed_release() { # name, command
    lago_apart lago-task task 1g --detach=true sh -c "$2" >/dev/null
    docker rename "$project-lago-task-1" "$1"
}

# --- questions ---

ask_answers() { answers_of answers.after; }
# Lines of added, removed, changed, missing or new, the kind of object, the field ("*" for whole objects), how many objects.
ask_compared() {
    awk -F "$tab" '
        FNR == 1 { file++ }
        file == 1 { old[$1 FS $2 FS $3] = $4; had[$1 FS $2]; next }
        { new[$1 FS $2 FS $3] = $4; has[$1 FS $2] }
        END {
            for (each in had) if (!(each in has)) { split(each, part, FS); count["missing" FS part[1] FS "*"]++ }
            for (each in has) if (!(each in had)) { split(each, part, FS); count["new" FS part[1] FS "*"]++ }
            for (each in old) {
                split(each, part, FS)
                if (!((part[1] FS part[2]) in has)) continue
                if (!(each in new)) count["removed" FS part[1] FS part[3]]++
                else if (old[each] != new[each]) count["changed" FS part[1] FS part[3]]++
                else same++
            }
            for (each in new) { split(each, part, FS); if (!(each in old) && ((part[1] FS part[2]) in had)) count["added" FS part[1] FS part[3]]++ }
            for (each in count) print each FS count[each]
            print "same" FS "-" FS "-" FS same + 0
        }' "$here/answers.before" "$here/answers.after" | sort
}
# Lines of what, currency, how many, sum, for all that has an amount. Then of "rows", table, how many; of "webhooks", status, how
# many; and how many payments repeat another one. Tables and columns that a release doesn't have are left out. A coupon by
# percentage has neither currency nor amount.
ask_sums() {
    psql_in "$(db_container)" "$database" <<'END'
\pset fieldsep '\t'
CREATE FUNCTION pg_temp.has(relation text, variadic names text[]) RETURNS boolean LANGUAGE sql AS $$
    SELECT count(*) = cardinality(names) FROM pg_attribute WHERE attrelid = to_regclass(relation) AND attname = ANY (names) AND NOT attisdropped
$$;
SELECT format('SELECT %L, coalesce(%2$I, ''no currency''), count(*), coalesce(sum(%3$I), 0) FROM %4$I GROUP BY %2$I ORDER BY %2$I', replace(relation, '_', ' '), currency, amount, relation)
FROM (VALUES ('invoices', 'currency', 'total_amount_cents'), ('fees', 'amount_currency', 'amount_cents'),
    ('credit_notes', 'credit_amount_currency', 'credit_amount_cents'), ('credits', 'amount_currency', 'amount_cents'),
    ('applied_coupons', 'amount_currency', 'amount_cents'), ('wallets', 'balance_currency', 'balance_cents'),
    ('payments', 'amount_currency', 'amount_cents'), ('refunds', 'amount_currency', 'amount_cents')) AS summed (relation, currency, amount)
WHERE pg_temp.has(relation, currency, amount)
\gexec
SELECT format('SELECT ''rows'', %L, count(*), 0 FROM %I', replace(relation, '_', ' '), relation)
FROM unnest(ARRAY['billable_metrics', 'charges', 'add_ons', 'coupons', 'taxes', 'commitments', 'wallet_transactions', 'credit_note_items']) AS relation
WHERE to_regclass(relation) IS NOT NULL
\gexec
SELECT 'SELECT ''webhooks'', status, count(*), 0 FROM webhooks GROUP BY status ORDER BY status' WHERE pg_temp.has('webhooks', 'status')
\gexec
SELECT 'SELECT ''repeated'', '''', count(*) - count(DISTINCT (payment_provider_id, provider_payment_id)), 0 FROM payments
    WHERE provider_payment_id IS NOT NULL' WHERE pg_temp.has('payments', 'payment_provider_id', 'provider_payment_id')
\gexec
END
}
# The locks that were held for longer than a second by what others wait for: table, mode, seconds.
ask_locks() {
    awk -F "$tab" 'NF == 5 {
        key = $2 FS $3 FS $4 FS $5
        if (!(key in first)) first[key] = $1
        last[key] = $1
    }
    END {
        for (key in first) {
            split(key, part, FS)
            seconds = last[key] - first[key]
            lock = part[3] FS part[4]
            if (seconds >= 1 && seconds > longest[lock]) longest[lock] = seconds
        }
        for (lock in longest) printf "%s\t%.1f\n", lock, longest[lock]
    }' "$here/locks" | sort
}
sample_locks() {
    {
        printf '%s\n' "\\pset fieldsep '\\t'"
        while [ -e "$here/sampling" ]; do
            say "
                SELECT round(extract(epoch FROM clock_timestamp())::numeric, 2), lock.pid, lock.virtualtransaction, class.relname, lock.mode
                FROM pg_locks AS lock JOIN pg_class AS class ON class.oid = lock.relation AND class.relkind IN ('r', 'p')
                JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace AND namespace.nspname !~ '^pg_'
                WHERE lock.granted AND lock.pid <> pg_backend_pid()
                AND lock.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock');"
            sleep 0.2
        done
    } | psql_in "$(db_container)" "$database"
}
# What a migration waits for that has not ended: table, mode, and who holds it.
ask_waits() {
    psql_in "$(db_container)" "$database" <<'END'
SELECT format('it waits for %s on %s, which is held by %s', lock.mode, coalesce(lock.relation::regclass::text, lock.locktype),
    coalesce(nullif(array_to_string(pg_blocking_pids(lock.pid), ', '), ''), 'nobody'))
FROM pg_locks AS lock WHERE NOT lock.granted LIMIT 1;
END
}
# Whether a container of the rehearsal reaches anything but the rehearsal: what was seen before the upgrade.
ask_outside() {
    cat "$here/outside"
    [ -s "$here/outside" ] || fail "$(tail -n 1 "$here/tried")"
}
try_outside() {
    outside_addresses | docker exec -i "$(running_of "$api_service")" ruby --disable-gems -e "$ruby_outside"
}
outside_addresses() {
    printf 'rehearsal-db\t5432\tthe database of the rehearsal!\n1.1.1.1\t443\tthe internet\ngetlago.com\t443\tthe internet by name\n'
    [ -z "$production" ] || docker ps -q --filter "label=com.docker.compose.project=$production" | while read -r container; do
        name=$(docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}}' "$container")
        ports=$(docker inspect -f '{{range $port, $to := .NetworkSettings.Ports}}{{println $port}}{{end}}' "$container" | sed -n 's#/tcp$##p')
        docker inspect -f '{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}' "$container" | sed '/^$/d' | while read -r address; do
            for port in $ports; do printf '%s\t%s\tproduction: %s at %s:%s\n' "$address" "$port" "$name" "$address" "$port"; done
        done
    done
    # The host itself, with what it publishes, has an address in each of its own networks.
    ports=$(docker ps -q | xargs -r docker inspect -f '{{range $port, $to := .NetworkSettings.Ports}}{{range $to}}{{println .HostPort}}{{end}}{{end}}' | sed '/^$/d' | sort -un | head -n 20)
    for address in $(docker network inspect -f '{{range .IPAM.Config}}{{.Gateway}} {{end}}' bridge "$project") $(hostname -I 2>/dev/null | tr ' ' '\n' | head -n 3); do
        for port in $ports; do printf '%s\t%s\tthis host at %s:%s\n' "$address" "$port" "$address" "$port"; done
    done
}
# One request to the API, as a configuration of curl in given/request; the answer with its head, as digits: base64 may look like a key.
ask_request() {
    # Whoever asks for invoices waits for one.
    ! grep -q '^url = .*/invoices?' "$here/given/request" || enqueue_due
    docker exec -i "$(running_of "$api_service")" curl -s -i --max-time 60 -K - <"$here/given/request" >"$here/answer" || fail "curl ended with $?"
    rm -f "$here/given/request"
    od -An -v -tx1 <"$here/answer" | tr -d ' \n'
    rm -f "$here/answer"
}
# Sidekiq looks only every few seconds, and long after its start for the first time, for scheduled jobs that are due.
enqueue_due() {
    redis_in "$(redis_container)" EVAL '
        for _, text in ipairs(redis.call("ZRANGEBYSCORE", "schedule", "-inf", redis.call("TIME")[1])) do
            local queue = cjson.decode(text).queue
            redis.call("ZREM", "schedule", text)
            redis.call("SADD", "queues", queue)
            redis.call("LPUSH", "queue:" .. queue, text)
        end' 0 </dev/null >/dev/null
}
