# Lets the workers finish what they are at, and begin nothing new. Who is busy is what Sidekiq's processes write to Redis
# every ten seconds, so what they wrote before they were quieted does not count.
each_worker() {
    for service in $worker_services; do running_of "$service"; done
}
change_quiet() {
    date +%s >"$here/quieted"
    : >"$here/quieted_containers"
    for container in $(each_worker); do
        # A worker that has not booted has no such process, and no job either.
        count=$(printf '%s' 'count=0
            for each in /proc/[0-9]*; do
                case $(tr "\0" " " <"$each/cmdline") in
                    sidekiq*) kill -TSTP "${each#/proc/}" && count=$((count + 1)) ;;
                esac
            done 2>/dev/null
            echo "$count"' | timeout 10 docker exec -i "$container" sh -s)
        [ "$count" = 0 ] || start_of "$container" >>"$here/quieted_containers"
    done
    wait_for "$drain_seconds" idle || fail "still at work after $drain_seconds s: $(at_work)"
}
# A container, its name as Sidekiq sees it, and when it was started.
start_of() { docker inspect -f '{{.Id}} {{.Config.Hostname}} {{.State.StartedAt}}' "$1"; }
# Whether the Sidekiq processes of every quieted container have said since that they are quiet and have no job.
idle() {
    [ -s "$here/quieted_containers" ] || return 0
    store=$(redis_container)
    [ -n "$store" ] || fail "Redis is no running container of this project, so it is not known which jobs are still running"
    since=$(cat "$here/quieted")
    identities=$(redis_in "$store" SMEMBERS processes) || return 1
    while read -r container host started; do
        seen=0
        for identity in $identities; do
            case $identity in "$host:"*) ;; *) continue ;; esac
            said=$(redis_in "$store" HMGET "$identity" beat busy quiet </dev/null) || return 1
            # One that has ended without a word is forgotten after a minute.
            [ -n "$said" ] || continue
            set -- $said
            [ "${1%%.*}" -gt "$since" ] && [ "$2" = 0 ] && [ "$3" = true ] || return 1
            seen=1
        done
        [ "$seen" = 1 ] || [ -z "$(docker ps -q --filter "id=$container")" ] || return 1
    done <"$here/quieted_containers"
}
at_work() {
    store=$(redis_container)
    for identity in $(redis_in "$store" SMEMBERS processes); do
        redis_in "$store" HVALS "$identity:work"
    done | sed -n 's/.*wrapped[\\]*":[\\]*"\([A-Za-z:]*\).*/\1/p' | sort | uniq -c | awk '{ printf "%s%s (%s)", comma, $2, $1; comma = ", " }'
}
# A quieted process never fetches again. One that still works is left until it has finished.
undo_quiet() {
    [ -s "$here/quieted_containers" ] || return 0
    while read -r quieted start; do
        [ "$(start_of "$quieted" 2>/dev/null)" = "$quieted $start" ] || continue
        [ -n "$(docker ps -q --filter "id=$quieted")" ] || continue
        wait_for "$drain_seconds" idle </dev/null ||
            fail "the worker is quiet and still at work ($(at_work)); once it has finished: docker restart $quieted"
        stop_gently "$quieted" 60
        docker start "$quieted" >/dev/null
    done <"$here/quieted_containers"
}
