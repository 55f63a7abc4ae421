# Stops what writes into the database: API, workers, clock. Users get an error from here until the new version is up.
change_stop() {
    note_queues
    date +%s.%N >"$here/down_since"
    for service in $stopped_services; do
        for container in $(running_of "$service"); do stop_gently "$container" 60 & done
    done
    wait
    for service in $stopped_services; do
        [ -z "$(running_of "$service")" ] || fail "$service could not be stopped"
    done
}
# Undoing `keep` starts what was stopped.
undo_stop() { :; }
