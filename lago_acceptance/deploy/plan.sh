# What a deploy would change. Reads only; what Compose needs to look at lies in a temporary folder meanwhile.
# Variables: directory, archive (the new files, a tar in base64), compose_file, env_file, paths (of the new files), project, compose_program.
LC_ALL=C
export LC_ALL
umask 077
tab='	'
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/new"
printf '%s' "$archive" | base64 -d | gzip -dc | tar -x -f - -C "$work/new"

of_project() { compose_alone ${project:+-p "$project"} "$@"; }
section() { printf '%s\t%s\n' "$1" "$(base64 | tr -d '\n')"; }
# What a file is now. A private key stays on its host.
kept() {
    place=$directory/$1
    [ -f "$place" ] && [ "$(stat -Lc %s "$place")" -le 1048576 ] || return 0
    content=
    grep -q 'PRIVATE KEY-----' "$place" && [ "$1" != "$env_file" ] && [ "$1" != "$compose_file" ] || content=$(base64 <"$place" | tr -d '\n')
    printf 'file\t%s\t%s\t%s\t%s\n' "$1" "$(stat -Lc %a "$place")" "$(sha256sum <"$place" | cut -c 1-64)" "$content"
}

docker ps -a --filter "label=com.docker.compose.project.working_dir=$directory" --format "here$tab{{.Label \"com.docker.compose.project\"}}" | sort -u
ls -A "$directory" 2>/dev/null | head -n 50 | sed "s/^/entry$tab/"
[ -d "$directory" ] && echo directory && stat -c "owner$tab%u$tab%a" "$directory"
id -u | sed "s/^/user$tab/"
{ printf '%s\n' "$paths" "$compose_file" "$env_file" | sort -u; } | while IFS= read -r path; do
    [ -n "$path" ] || continue
    kept "$path"
    # A file that the deploy leaves as it is, is part of the new version too.
    if [ ! -e "$work/new/$path" ] && [ -f "$directory/$path" ]; then
        mkdir -p "$work/new/$(dirname "$path")"
        cp "$directory/$path" "$work/new/$path"
    fi
done
set -- --project-directory "$work/new" -f "$work/new/$compose_file"
[ ! -f "$work/new/$env_file" ] || set -- "$@" --env-file "$work/new/$env_file"
if of_project "$@" config --format json >"$work/config" 2>"$work/said"; then
    # Compose would compare its containers with what the files say in their own place.
    sed "s#$work/new#$directory#g" "$work/config" >"$work/in-place.json"
    section config <"$work/in-place.json"
    {
        sed -n "s#^ *\"source\": \"$directory/\(.*\)\",*\$#\1#p" "$work/in-place.json"
        [ -z "$project" ] || docker ps -aq --filter "label=com.docker.compose.project=$project" | while read -r container; do
            docker inspect -f '{{range .Mounts}}{{if eq .Type "bind"}}{{println .Source}}{{end}}{{end}}' "$container"
        done | sed -n "s#^$directory/##p"
    } | sort -u >"$work/mounted"
    printf '%s\n' "$paths" "$compose_file" "$env_file" | sort -u >"$work/known"
    comm -23 "$work/mounted" "$work/known" | while IFS= read -r path; do kept "$path"; done
    of_project --project-directory "$directory" -f "$work/in-place.json" config --hash '*' 2>/dev/null | sed "s/^/hash$tab/; s/ /$tab/"
    of_project --project-directory "$directory" -f "$work/in-place.json" config --images 2>/dev/null | sort -u | while read -r image; do
        printf 'image\t%s\t%s\n' "$image" "$(docker image inspect -f '{{.Id}}' "$image" 2>/dev/null)"
    done
else
    section refused <"$work/said"
fi
[ -z "$project" ] || docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" --filter label=com.docker.compose.oneoff=False |
    while read -r container; do
        docker inspect -f "container$tab{{index .Config.Labels \"com.docker.compose.service\"}}$tab{{index .Config.Labels \"com.docker.compose.config-hash\"}}$tab{{.Config.Image}}$tab{{.Image}}$tab{{.State.Status}}$tab{{.State.ExitCode}}$tab{{index .Config.Labels \"com.docker.compose.project.config_files\"}}$tab{{index .Config.Labels \"com.docker.compose.project.environment_file\"}}" "$container"
    done
awk -v tab="$tab" '$4 == "0A" { sub(/.*:/, "", $2); print "listening" tab $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null | sort -u
docker network ls --format "network$tab{{.Name}}"
docker volume ls --format "volume$tab{{.Name}}"
df -Pk "$directory" 2>/dev/null | awk -v tab="$tab" 'NR == 2 { print "free" tab $4 }'
root=$(docker info -f '{{.DockerRootDir}}' 2>/dev/null)
df -Pk "${root:-/}" 2>/dev/null | awk -v tab="$tab" 'NR == 2 { print "free_images" tab $4 }'
