# Stops what writes into the database: API, workers, clock. Users get an error from here until the new version is up.
change_stop() {
    date +%s.%N >"$here/down_since"
    for service in $stopped_services; do
        for container in $(running_of "$service"); do stop_gently "$container" 60 & done
    done
    wait
    for service in $stopped_services; do
        [ -z "$(running_of "$service")" ] || fail "$service could not be stopped"
    done
}
# The old containers, or new ones of the old files and images where these are gone. What was not up before need not be.
undo_stop() {
    old_compose up -d --pull never || :
    wait_for "$up_seconds" is_up || fail "not up again after $up_seconds s: $(down_since_then)"
}
is_up() { [ -z "$(down_since_then)" ]; }
down_since_then() {
    for service in $(not_up); do
        case " $(cat "$here/backup/not_up") " in *" $service "*) ;; *) printf '%s ' "$service" ;; esac
    done
}
# Services that are not up: without a healthcheck, running is enough; a one-shot has ended with 0.
not_up() {
    docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False |
        while read -r container; do
            docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{with index .State "Health"}}{{.Status}}{{else}}healthy{{end}} {{.State.ExitCode}} {{.HostConfig.RestartPolicy.Name}}' "$container"
        done | awk '!($2 == "running" && $3 == "healthy") && !($2 == "exited" && $4 == 0 && ($5 == "no" || $5 == "")) { print $1 }' | tr '\n' ' '
}
