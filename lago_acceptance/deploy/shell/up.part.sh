# Starts the new version in three parts: what stores data, then what answers requests, migrations before it, and last what
# works on jobs. A job that ran on the wrong database, or failed with a half-migrated one, would be lost.
change_stores() {
    new_compose up -d --pull never --no-deps $new_store_services
    wait_for 120 database_answers || fail "$db_service does not answer: $(docker logs --tail 1 "$(of_service "$db_service" | head -n 1)" 2>&1)"
    identity "$(db_container)" "$database" >"$here/identity_of_stores" 2>/dev/null || :
    for name in system_identifier organizations; do
        was=$(awk -F "$tab" -v name="$name" '$1 == name { print $2 }' "$here/backup/identity")
        is=$(awk -F "$tab" -v name="$name" '$1 == name { print $2 }' "$here/identity_of_stores")
        [ "$was" = "$is" ] || fail "the new files point to another database, where $name is ${is:-missing} and not $was: its volume, project or network has changed"
    done
    was=$(awk -F "$tab" '$1 == "processed" { print $2 }' "$here/backup/identity")
    is=$(awk -F "$tab" '$1 == "processed" { print $2 }' "$here/identity_of_stores")
    [ "${is:-0}" -ge "${was:-0}" ] || fail "the new files point to another Redis: $was jobs have run in the old one, ${is:-none} in this one"
}
# Undoing `dump` starts the old ones.
undo_stores() { :; }
change_up() {
    # A file that is replaced is another one; a container that mounts it keeps the old one until it is recreated.
    for service in $remounted_services; do
        for container in $(of_service "$service"); do docker rm -f "$container" >/dev/null; done
    done
    new_compose up -d --pull never $answering_services &
    starting=$! asked=$(date +%s)
    while kill -0 "$starting" 2>/dev/null; do
        sleep 0.2
        [ $(($(date +%s) - asked)) -ge 5 ] || continue
        asked=$(date +%s)
        held=$(held_up 2>/dev/null) || held=
        [ -n "$held" ] || continue
        kill "$starting" 2>/dev/null || :
        fail "the migration has waited for $lock_seconds s for a lock on $held; end that session, or wait until it has ended, and deploy again"
    done
    wait "$starting"
}
# What the migration waits for, and who has it, where it has waited for too long: PostgreSQL would let it wait for ever. A
# query's text may hold customers' data, so it is left out.
held_up() {
    psql_in "$(db_container)" "$database" <<END
SELECT format('%s, which process %s holds (%s from %s, %s since %s)', coalesce((SELECT string_agg(DISTINCT wanted.relation::regclass::text, ', ')
        FROM pg_locks AS wanted WHERE wanted.pid = waiting.pid AND NOT wanted.granted AND wanted.relation IS NOT NULL), 'a row'),
    holder.pid, coalesce(nullif(holder.application_name, ''), 'a client without a name'), coalesce(host(holder.client_addr), 'the host itself'),
    holder.state, to_char(holder.state_change AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"'))
FROM pg_stat_activity AS waiting, LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking, pg_stat_activity AS holder
WHERE waiting.datname = current_database() AND waiting.wait_event_type = 'Lock' AND holder.pid = blocking
    AND waiting.query_start < clock_timestamp() - interval '$lock_seconds seconds'
ORDER BY waiting.query_start LIMIT 1;
END
}
# What runs of the new version is stopped, and the names of images point to the old ones again.
undo_up() {
    # A migration that goes on would change the database after it has been restored.
    for service in $stopped_services $new_services $migrating_services; do
        for container in $(running_of "$service"); do stop_gently "$container" 30 & done
    done
    wait
    name_images "$here/backup/images"
    # What only the new version has.
    for service in $added_services; do
        for container in $(of_service "$service"); do docker rm -f "$container" >/dev/null; done
    done
}
name_images() { # a list of kept images
    while IFS="$tab" read -r service reference image digest; do
        case $reference in *@sha256:* | sha256:*) continue ;; esac
        [ "$(docker image inspect -f '{{.Id}}' "$reference" 2>/dev/null)" = "$image" ] || docker tag "$image" "$reference"
    done <"$1"
}
change_work() { new_compose up -d --pull never; }
undo_work() { :; }
