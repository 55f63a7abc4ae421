# Jobs that wait in a queue which the new version's workers read no longer would wait forever. They go to the queue `default`,
# which every release of Lago reads: a job runs in whatever queue it is found.
note_queues() {
    : >"$here/queues_read"
    store=$(redis_container)
    [ -n "$store" ] || return 0
    redis_in "$store" EVAL "
        local read, lines = {}, {}
        for _, process in ipairs(redis.call('SMEMBERS', 'processes')) do
            local known, about = pcall(cjson.decode, redis.call('HGET', process, 'info') or '')
            for _, queue in ipairs(known and about.queues or {}) do
                if not read[queue] then
                    read[queue] = true
                    lines[#lines + 1] = queue
                end
            end
        end
        return lines" 0 >"$here/queues_read" || :
}
change_adopt() {
    [ -s "$here/queues_read" ] || return 0
    # Workers that don't come up are for the checks to say.
    wait_for 60 new_worker_reads || return 0
    while IFS="$tab" read -r queue count; do
        [ -z "$count" ] || say "jobs moved to the queue default from $queue, which no worker reads any more: $count"
    done <"$here/adopted"
}
undo_adopt() { :; }
# Whether a worker has been started since; then what nobody reads is moved.
new_worker_reads() {
    set -f
    redis_in "$(redis_container)" EVAL "
        local read, some, lines = {}, false, {'-'}
        for _, process in ipairs(redis.call('SMEMBERS', 'processes')) do
            local known, about = pcall(cjson.decode, redis.call('HGET', process, 'info') or '')
            if known and (tonumber(about.started_at) or 0) > tonumber(ARGV[1]) then
                some = true
                for _, queue in ipairs(about.queues or {}) do read[queue] = true end
            end
        end
        if not some then return {} end
        for at = 2, read['default'] and #ARGV or 1 do
            local queue, moved = ARGV[at], 0
            while not read[queue] and redis.call('RPOPLPUSH', 'queue:' .. queue, 'queue:default') do moved = moved + 1 end
            if moved > 0 then
                redis.call('SADD', 'queues', 'default')
                lines[#lines + 1] = queue .. '\t' .. moved
            end
        end
        return lines" 0 "$(cat "$here/down_since")" $(cat "$here/queues_read") </dev/null >"$here/adopted"
    set +f
    [ -s "$here/adopted" ]
}
