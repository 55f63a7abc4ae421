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
    new_compose up -d --pull never $answering_services
}
# What runs of the new version is stopped, and the names of images point to the old ones again.
undo_up() {
    for service in $stopped_services $new_services; do
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
