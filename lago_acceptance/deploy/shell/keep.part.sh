# Keeps what runs: files with their modes, and images, each by a name of its own so that no pruning takes it.
change_keep() {
    rm -rf "$here/backup/files"
    mkdir -p "$here/backup/files"
    : >"$here/backup/modes"
    printf '%s\n' "$kept_files" | while IFS= read -r path; do
        [ -n "$path" ] || continue
        if [ -f "$directory/$path" ]; then
            mkdir -p "$here/backup/files/$(dirname "$path")"
            cp -p "$directory/$path" "$here/backup/files/$path"
            printf '%s\t%s\n' "$(stat -c %a "$directory/$path")" "$path" >>"$here/backup/modes"
        else
            printf 'absent\t%s\n' "$path" >>"$here/backup/modes"
        fi
    done
    # Where no dump is made, this alone says whether the images of now can be returned to.
    schema "$(db_container)" >"$here/backup/schema" 2>/dev/null || rm -f "$here/backup/schema"
    not_up >"$here/backup/not_up"
    [ ! -e "$state/upgrade" ] || cp -p "$state/upgrade" "$here/backup/upgrade"
    : >"$here/backup/images"
    docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" | while read -r container; do
        docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}}{{"\t"}}{{.Config.Image}}{{"\t"}}{{.Image}}' "$container"
    done | sort -u >"$here/backup/containers"
    while IFS="$tab" read -r service reference image; do
        digest=$(docker image inspect -f '{{range .RepoDigests}}{{println .}}{{end}}' "$image" 2>/dev/null | head -n 1)
        printf '%s\t%s\t%s\t%s\n' "$service" "$reference" "$image" "$digest" >>"$here/backup/images"
        docker tag "$image" "lago-acceptance-backup/$service:$deploy_id"
    done <"$here/backup/containers"
    rm "$here/backup/containers"
}
# The old containers, or new ones of the old files and images where these are gone. What was not up before need not be.
undo_keep() {
    [ -s "$here/backup/images" ] || return 0
    old_compose up -d --pull never || :
    wait_for "$up_seconds" is_up || fail "not up again after $up_seconds s: $(down_since_then)"
    for volume in $new_volumes; do
        ! docker volume inspect "$volume" >/dev/null 2>&1 || say "The new version made the volume $volume, which is kept; remove it with: docker volume rm $volume"
    done
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
# Of deploys that are over, the last ones keep their backups, with the names that hold their images. So does the one that an
# upgrade over several stops has begun with, until that has arrived.
prune() {
    [ -n "${kept_backups:-}" ] || return 0
    first=$(awk -F "$tab" '$1 == "from" { print $4 }' "$state/upgrade" 2>/dev/null) || first=
    cd "$state/deploys"
    ls | sort -r | tail -n "+$((kept_backups + 1))" | while read -r id; do
        [ "$id" != "$deploy_id" ] && [ "$id" != "$first" ] && over "$id" || continue
        docker image ls --filter "reference=lago-acceptance-backup/*:$id" --format '{{.Repository}}:{{.Tag}}' | while read -r name; do
            docker image rm "$name" >/dev/null
        done
        rm -rf "./$id"
    done
}
over() { awk -F "$tab" '$3 == "-" { last = $2 } END { exit !(last == "accepted" || last == "undone") }' "$1/journal"; }
