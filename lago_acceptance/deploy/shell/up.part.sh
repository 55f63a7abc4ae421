# Starts the new version; Compose recreates what has changed and lets migrations run before the API.
change_up() {
    # A file that is replaced is another one; a container that mounts it keeps the old one until it is made anew.
    for service in $remounted_services; do
        for container in $(of_service "$service"); do docker rm -f "$container" >/dev/null; done
    done
    new_compose up -d --pull never
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
