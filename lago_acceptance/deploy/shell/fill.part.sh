# Fills in what a stop of an upgrade needs. Its tasks run in containers of the new release, whose worker runs the jobs that
# they enqueue, until every proof counts no row. That may take hours, so it goes on in slices: between them whoever asks can
# have it undone. A slice ends with a line "more", tab, what is left, or with the lines of what was filled.
# Variables: fill_tasks (lines of "all" or "organization", tab, "again", "once" or "alone", tab, a command), fill_jobs (classes), fill_proofs (lines of what it
# says, tab, SQL that counts the rows that are left), fill_seconds (at most without progress), fill_worker_seconds (at most
# without a worker), fill_slice (seconds), fill_runner (a function that starts a container by name, with a command for sh),
# fill_worker (a function that prints the name of the container that runs the jobs, "" where Lago's own workers do). Where several
# stops are worked on one after the other, given/leg has those of the current one.
[ ! -s "$here/given/leg" ] || . "$here/given/leg"
change_fill() {
    rm -rf "$here/fill"
    mkdir -p "$here/fill"
    printf '%s\n' "$fill_proofs" | sed '/^$/d' >"$here/fill/proofs"
    date +%s >"$here/fill/began"
    cp "$here/fill/began" "$here/fill/progress"
    cp "$here/fill/began" "$here/fill/deaths_since"
    : >"$here/fill/when"
    count_left
    cp "$here/fill/left" "$here/fill/first"
    each_task >"$here/fill/tasks"
    echo 0 >"$here/fill/at"
    ask_fill
}
# A task for each organization is one line for each.
each_task() {
    printf '%s\n' "$fill_tasks" | while IFS="$tab" read -r each how command; do
        case $each in
            all) say "$how$tab$command" ;;
            organization)
                printf 'SELECT id FROM organizations ORDER BY created_at, id;' | psql_in "$(db_container)" "$database" | grep -E '^[0-9A-Za-z-]+$' |
                    while read -r id; do printf '%s\n' "$how$tab$command" | sed "s/ORGANIZATION_ID/$id/g"; done ;;
        esac
    done
}
# Tasks that do harm when they are repeated, and have run on this database. Restoring a dump forgets them.
once_done() {
    case $fill_runner in
        in_new_release) printf '%s' "$state/once" ;;
        *) printf '%s' "$here/once" ;;
    esac
}
ask_fill() {
    slice_ends=$(($(date +%s) + fill_slice))
    while :; do
        counting=$(date +%s)
        count_left
        ask_jobs
        no_job_died
        ! filled || { end_task && report_filled && return; }
        advance_task
        follow_progress
        own_worker_runs
        worker_reads
        [ "$(date +%s)" -lt "$slice_ends" ] || break
        # Counting costs the database something, so it rests for longer than it works.
        sleep $((1 + 3 * ($(date +%s) - counting)))
    done
    left=$(left_now)
    say "more$tab${left:-a task runs}"
}
# What was filled stays, unless a migration has run too: then the dump is restored.
undo_fill() {
    end_task
    if [ -s "$here/fill/left" ] && ! { [ -s "$here/backup/identity" ] && schema_differs "$here/backup/identity" "$(db_container)"; }; then
        say "What has been filled in until now stays: it does no harm, and the next call goes on from there."
    fi
}

# --- what is left ---

# Lines of what a proof says, tab, rows. SQL that finds no column prints a text in place of a number.
count_left() {
    [ -s "$here/fill/proofs" ] || { : >"$here/fill/left" && return 0; }
    cut -f 2- "$here/fill/proofs" | psql_in "$(db_container)" "$database" >"$here/fill/counts" 2>"$here/fill/said" ||
        fail "what is left can't be counted: $(grep -m 1 . "$here/fill/said")"
    cut -f 1 "$here/fill/proofs" | paste - "$here/fill/counts" >"$here/fill/left"
    wrong=$(awk -F "$tab" '$2 !~ /^[0-9]+$/ { print $1 ": " $2; exit }' "$here/fill/left")
    [ -z "$wrong" ] || fail "it can't be seen whether the stop is done: $wrong"
    # When each was done, by its place in the list.
    awk -F "$tab" -v now="$(date +%s)" 'FILENAME == ARGV[1] { known[$1] = 1; next } $2 == 0 && !(FNR in known) { print FNR "\t" now }' \
        "$here/fill/when" "$here/fill/left" >"$here/fill/newly"
    cat "$here/fill/newly" >>"$here/fill/when"
}
all_proved() { [ -s "$here/fill/proofs" ] && ! awk -F "$tab" '$2 > 0 { open = 1 } END { exit !open }' "$here/fill/left"; }
left_now() {
    awk -F "$tab" -v jobs="$(pending)" '
        $2 > 0 { printf "%s%s: %s left", comma, $1, $2; comma = ", " }
        END { if (jobs > 0) printf "%s%s jobs", comma, jobs }' "$here/fill/left"
}
rows() { awk -F "$tab" '{ sum += $2 } END { printf "%.0f", sum }' "$here/fill/$1"; }
elapsed() { echo $(($(date +%s) - $(cat "$here/fill/$1"))); }
# Lines of "filled", tab, what the proof says, tab, rows, tab, seconds; the last one has the seconds of all.
report_filled() {
    awk -F "$tab" -v began="$(cat "$here/fill/began")" '
        FILENAME == ARGV[1] { done[$1] = $2 - began; next }
        { printf "filled\t%s\t%s\t%d\n", $1, $2, done[FNR] }' "$here/fill/when" "$here/fill/first"
    say "seconds$tab$(elapsed began)"
}

# --- jobs ---

# Lines: pending, tab, how many wait or run; unread, tab, a queue that holds some and that no worker reads; died, tab, class,
# tab, its error, for one that has died since. Jobs for filling are those of the classes, and others of the same module.
ask_jobs() {
    store=$(redis_container)
    [ -n "$store" ] || fail "Redis is no running container of this project, so it is not known which jobs are left"
    redis_in "$store" EVAL '
        local wanted = {}
        for class in string.gmatch(ARGV[2], "%S+") do wanted[class] = true end
        local function filling(text)
            local read, job = pcall(cjson.decode, text)
            if not read or type(job) ~= "table" then return end
            local class = job.wrapped or job.class
            if type(class) ~= "string" then return end
            if wanted[class] or string.sub(class, 1, 20) == "DatabaseMigrations::" then return job, class end
        end
        local lines, pending, readable = {}, 0, {}
        local now = tonumber(redis.call("TIME")[1])
        for _, process in ipairs(redis.call("SMEMBERS", "processes")) do
            local said = redis.call("HMGET", process, "beat", "info", "quiet")
            local read, about = pcall(cjson.decode, said[2] or "")
            if said[1] and now - tonumber(said[1]) < 60 and said[3] ~= "true" and read then
                for _, queue in ipairs(about.queues or {}) do readable[queue] = true end
            end
            local work = redis.call("HVALS", process .. ":work")
            for _, each in ipairs(work) do
                local read, running = pcall(cjson.decode, each)
                local payload = read and running.payload
                if type(payload) == "table" then payload = cjson.encode(payload) end
                if payload and filling(payload) then pending = pending + 1 end
            end
        end
        for _, queue in ipairs(redis.call("SMEMBERS", "queues")) do
            local held = 0
            for _, each in ipairs(redis.call("LRANGE", "queue:" .. queue, 0, -1)) do
                if filling(each) then held = held + 1 end
            end
            pending = pending + held
            if held > 0 and not readable[queue] then lines[#lines + 1] = "unread\t" .. queue end
        end
        for _, set in ipairs({"retry", "schedule"}) do
            for _, each in ipairs(redis.call("ZRANGE", set, 0, -1)) do
                if filling(each) then pending = pending + 1 end
            end
        end
        for _, each in ipairs(redis.call("ZRANGEBYSCORE", "dead", ARGV[1], "+inf")) do
            local job, class = filling(each)
            if job then
                local message = string.gsub(tostring(job.error_message or ""), "[\n\t].*", "")
                lines[#lines + 1] = "died\t" .. class .. "\t" .. tostring(job.error_class or "") .. ": " .. string.sub(message, 1, 300)
            end
        end
        lines[#lines + 1] = "pending\t" .. pending
        return lines' 0 "$(cat "$here/fill/deaths_since")" "$fill_jobs" </dev/null >"$here/fill/jobs" || fail "Redis could not be asked for the jobs that are left"
}
pending() { awk -F "$tab" '$1 == "pending" { print $2 }' "$here/fill/jobs"; }
# A job may wait for rows that another one holds, which waits for its own, and PostgreSQL ends one. Lago never retries it. Where
# proofs count what it left, that is no failure: the tasks run once more.
no_job_died() {
    awk -F "$tab" '$1 == "died" { print $2 " died: " $3 }' "$here/fill/jobs" >"$here/fill/died"
    if [ -s "$here/fill/proofs" ]; then
        died=$(grep -v -m 1 TRDeadlockDetected "$here/fill/died") || :
    else
        died=$(head -n 1 "$here/fill/died")
    fi
    [ -z "$died" ] || fail "$died$(still)"
}
deadlocked() { [ -s "$here/fill/died" ]; }
worker_reads() {
    unread=$(awk -F "$tab" '$1 == "unread" { print $2; exit }' "$here/fill/jobs")
    if [ -z "$unread" ]; then
        rm -f "$here/fill/unread"
    elif [ ! -e "$here/fill/unread" ]; then
        date +%s >"$here/fill/unread"
    elif [ "$(elapsed unread)" -ge "$fill_worker_seconds" ]; then
        fail "no worker reads the queue $unread, in which jobs wait: start one that does (its configuration file, or -q $unread)$(still)"
    fi
}
own_worker_runs() {
    [ -z "$fill_worker" ] || runs "$($fill_worker)" || fail "the worker ended: $(docker logs --tail 1 "$($fill_worker)" 2>&1)$(still)"
}
runs() { [ -n "$(docker ps -q --filter "name=^$1\$")" ]; } # container
# Sidekiq shows a job that it has fetched only after up to ten seconds.
idle_long() {
    if [ "$(pending)" != 0 ] || [ -e "$here/fill/running" ]; then
        rm -f "$here/fill/idle"
        return 1
    fi
    [ -e "$here/fill/idle" ] || date +%s >"$here/fill/idle"
    [ "$(elapsed idle)" -ge 15 ]
}

# --- tasks ---

filled() {
    if [ -s "$here/fill/proofs" ]; then
        all_proved && [ "$(pending)" = 0 ]
    else
        [ "$(cat "$here/fill/at")" = "$(wc -l <"$here/fill/tasks" | tr -d ' ')" ] && idle_long
    fi
}
task_container() { printf 'lago-acceptance-fill-%s' "$deploy_id"; }
end_task() {
    docker rm -f "$(task_container)" >/dev/null 2>&1 || :
    rm -f "$here/fill/running"
}
# Looks after the task that runs, or begins the next one. Upstream's end by themselves, or wait in a loop for their jobs.
advance_task() {
    if [ -e "$here/fill/running" ]; then
        found=$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$(task_container)" 2>/dev/null) || found="gone 1 false"
        case $found in
            "exited 0 "*)
                end_task
                date +%s >"$here/fill/progress"
                [ "$(task_how)" != once ] || task_text >>"$(once_done)" ;;
            exited* | dead* | gone*) fail "the task failed ($(task_text)): $(task_said "$found")$(still)" ;;
            *) return 0 ;;
        esac
    fi
    at=$(($(cat "$here/fill/at") + 1))
    command=$(task_at "$at")
    if deadlocked; then
        ! idle_long || again
    elif [ -n "$command" ]; then
        [ "$at" = 1 ] || [ "$(task_how)" != alone ] || idle_long || return 0
        echo "$at" >"$here/fill/at"
        ! { [ "$(task_how)" = once ] && grep -qxF "$command" "$(once_done)" 2>/dev/null; } || return 0
        docker rm -f "$(task_container)" >/dev/null 2>&1 || :
        : >"$here/fill/running"
        "$fill_runner" "$(task_container)" "$command" >"$here/fill/said" 2>&1 </dev/null || fail "the task could not be started ($command): $(tail -n 1 "$here/fill/said")"
    elif [ -s "$here/fill/proofs" ] && idle_long; then
        again
    fi
}
# Jobs that were lost on the way leave rows behind, and a lock for an hour: each further round does one batch more.
again() {
    [ ! -e "$here/fill/round" ] || [ "$(rows left)" -lt "$(cat "$here/fill/round")" ] ||
        fail "$(grep -m 1 . "$here/fill/died" || say "all tasks have run, no job is left, and yet $(left_now)")"
    rows left >"$here/fill/round"
    date +%s >"$here/fill/deaths_since"
    rm -f "$here/fill/idle"
    echo 0 >"$here/fill/at"
}
task_at() { sed -n "${1}p" "$here/fill/tasks" | cut -f 2-; }
task_text() { task_at "$(cat "$here/fill/at")"; }
task_how() { sed -n "$(cat "$here/fill/at")p" "$here/fill/tasks" | cut -f 1; }
task_said() { # state
    case $1 in *" true") printf 'it ran out of memory; ' ;; esac
    docker logs --tail 200 "$(task_container)" 2>&1 | awk '
        !NF { next }
        { last = $0 }
        /Error|aborted|Exiting/ && !cause { cause = $0 }
        END { print substr((cause ? cause : last), 1, 300) }'
}
follow_progress() {
    now="$(cat "$here/fill/left" "$here/fill/at") $(pending)"
    if [ "$now" != "$(cat "$here/fill/seen" 2>/dev/null)" ]; then
        printf '%s' "$now" >"$here/fill/seen"
        date +%s >"$here/fill/progress"
    fi
    [ "$(elapsed progress)" -lt "$fill_seconds" ] || fail "nothing has moved for $fill_seconds s$(still)"
}
# What is left, and how fast it went.
still() {
    left=$(left_now)
    printf '; %s; %s rows were filled in %s s' "${left:-no row is left}" "$(($(rows first) - $(rows left)))" "$(elapsed began)"
}

# A container of the new version's API, which the proxy sends nothing to.
in_new_release() { # name, command
    new_compose run -d --no-deps -T --name "$1" --label traefik.enable=false --entrypoint sh "$api_service" -c "$2"
}
