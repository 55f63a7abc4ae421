# The work of a stop whose image can't be had, done by the image of a later release before its own migrations, while Lago is
# down: migrations up to those of the stop, then its tasks, whose jobs a worker for this queue alone runs. Variables beside
# those of fill.part.sh: migrate_to (a migration), ahead_queue (the queue of the jobs that fill data in).
ahead_worker() { printf 'lago-acceptance-ahead-%s' "$deploy_id"; }
aside() { printf 'lago-acceptance-aside-%s' "$deploy_id"; }
# Of several databases Rails would run the one migration of that version, and none before it.
change_ahead_migrate() {
    new_compose run --rm --no-deps -T --label traefik.enable=false --entrypoint sh "$api_service" -c \
        "unset LAGO_CLICKHOUSE_MIGRATIONS_ENABLED; exec bundle exec rails db:migrate VERSION=$migrate_to" >"$here/migration" 2>&1 </dev/null || fail "$(migration_trouble)"
}
# Undoing `dump` restores what the database was.
undo_ahead_migrate() { :; }
# Other jobs that wait in its queue are of the old release: they are set aside until a worker knows the whole schema.
change_ahead_work() {
    store=$(redis_container)
    [ -n "$store" ] || fail "Redis is no running container of this project"
    [ "$(redis_in "$store" EXISTS "queue:$ahead_queue")" = 0 ] || redis_in "$store" RENAME "queue:$ahead_queue" "$(aside)" >/dev/null
    new_compose run -d --no-deps -T --name "$(ahead_worker)" --label traefik.enable=false --entrypoint sh "$api_service" -c \
        "exec bundle exec sidekiq -q $ahead_queue" >/dev/null 2>"$here/said" </dev/null || fail "the worker could not be started: $(tail -n 1 "$here/said")"
}
change_ahead_rest() {
    end_ahead_worker
    return_aside
}
undo_ahead_rest() { :; }
# Jobs that fill data in are unknown to the old release.
undo_ahead_work() {
    end_ahead_worker
    store=$(redis_container)
    [ -n "$store" ] && [ "$(redis_in "$store" EXISTS "$(aside)")" = 1 ] || return 0
    redis_in "$store" DEL "queue:$ahead_queue" >/dev/null
    return_aside
}
end_ahead_worker() {
    [ -n "$(docker ps -aq --filter "name=^$(ahead_worker)\$")" ] || return 0
    docker stop -t 60 "$(ahead_worker)" >/dev/null
    docker rm -f "$(ahead_worker)" >/dev/null
}
return_aside() {
    redis_in "$(redis_container)" EVAL "while redis.call('RPOPLPUSH', KEYS[1], KEYS[2]) do end return 0" 2 "$(aside)" "queue:$ahead_queue" >/dev/null
}
