# Everything that is observed on a Docker host, in one go and without changing anything there.
# Variables that precede this text: project, wanted_directory, compose, directory, files, env_files and sources (one a
# line), log_lines, backups, gateway_network, inside (1: what gateway and API see of each other; only: that alone),
# stranger (a key that nobody has), and the texts plan, mask, gateway_sh, lago_rb, redis_lua and facts_sql.
# Output: the line "facts begin", lines of sections as mask.awk writes them, interleaved, and the line "facts end".

echo "facts begin"
export LC_ALL=C
# Docker's client is started often, does little, and ends before there is garbage to collect.
export GOMAXPROCS=1 GOGC=400
started=$(date +%s.%N)
tab='	'
line_feed='
'

tell() { awk -v name="$1" -v plain="$2" "$mask"; }
# Several sections through one awk: what follows belongs to the section that was begun last.
# What is printed before may lack its line feed; empty lines are left out.
begin() { printf '\n\t%s\n' "$1"; }

# A rootless Docker that only the profile of a login knows.
rootless=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
listed() { containers=$(docker ps -aq --no-trunc 2>/dev/null); }
at_rootless() { [ -z "$DOCKER_HOST" ] && [ -S "$rootless" ] && export DOCKER_HOST="unix://$rootless"; }
if ! { listed || { at_rootless && listed; }; }; then
    docker version --format '{{.Server.Version}}' 2>&1 | tell docker-error
    echo "facts end"
    exit 0
fi

# One look at every container. What a line is for, its first letter tells: R who it is, P where its project lies, V a
# value that readings need, E an environment variable, N a network, M a mount, L its files and whether it is well, C all of
# it as JSON.
template='R	{{.Id}}	{{.State.Running}}	{{with .Config.Labels}}{{or (index . "com.docker.compose.project") "-"}}	{{or (index . "lago-acceptance.role") "-"}}{{else}}-	-{{end}}	{{.Config.Image}} {{.Path}} {{json .Args}}
{{$id := .Id}}{{with .Config.Labels}}P	{{$id}}	{{index . "com.docker.compose.project.working_dir"}}	{{index . "com.docker.compose.project.config_files"}}	{{index . "com.docker.compose.project.environment_file"}}
{{end}}L	{{.Id}}	{{.LogPath}}	{{.HostnamePath}}	{{if and .State.Running (not .State.Restarting) (eq (print .RestartCount) "0")}}{{with index .State "Health"}}{{.Status}}{{else}}healthy{{end}}{{end}}
{{range .Config.Env}}{{$name := index (split . "=") 0}}{{if or (eq $name "DATABASE_URL") (eq $name "REDIS_URL") (eq $name "REDIS_PASSWORD") (eq $name "LAGO_API_KEY") (eq $name "LAGO_ORG_API_KEY") (eq $name "POSTGRES_SCHEMA")}}V	{{$id}}	{{println .}}{{end}}E	{{$id}}	{{printf "%q" .}}
{{end}}{{range $name, $each := .NetworkSettings.Networks}}N	{{$id}}	{{println $name}}{{end}}{{range .Mounts}}{{if eq .Type "bind"}}M	{{$id}}	{{println .Source}}{{end}}{{end}}C	{{.Id}}	{"id":{{json .Id}},"name":{{json .Name}},"created":{{json .Created}},"path":{{json .Path}},"args":{{json .Args}},"state":{{json .State}},"restarts":{{.RestartCount}},"log_path":{{json .LogPath}},"image_id":{{json .Image}},"image":{{json .Config.Image}},"working_dir":{{json .Config.WorkingDir}},"command":{{json .Config.Cmd}},"entrypoint":{{json .Config.Entrypoint}},"labels":{{json .Config.Labels}},"healthcheck":{{with index .Config "Healthcheck"}}{{json .}}{{else}}null{{end}},"mounts":{{json .Mounts}},"host":{{json .HostConfig}},"networks":{{json .NetworkSettings.Networks}},"ports":{{json .NetworkSettings.Ports}}}'
# One that is removed meanwhile is missing, and the others are there.
[ -z "$containers" ] || table=$(docker inspect --type container --format "$template" $containers 2>/dev/null)
if [ -n "$containers" ] && [ -z "$table" ]; then
    docker inspect --type container --format "$template" $containers 2>&1 | tail -n 1 | tell docker-error
    echo "facts end"
    exit 0
fi
eval "$(printf '%s\n' "$table" | wanted_project=$project wanted_directory=$wanted_directory gateway_network=$gateway_network awk "$plan")"

# --- inside of containers: what takes longest begins first ---

ask_lago() { # container, role, what else
    LAGO_API_KEY=$api_key timeout 15 docker exec -e LAGO_API_KEY "$1" ruby --disable-gems -e "$lago_rb" "$2" "$3" 2>&1 | tell "lago:$1"
}
ask_gateway() {
    {
        # One that can't be asked is there all the same.
        echo asked
        printf '%s' "$gateway_sh" |
            timeout 12 docker exec -i -e stranger="$stranger" -e fallback=http://lago-api:3000 "$gateway" sh -s 2>&1
    } | tell "gateway:$gateway"
}
ask_database() {
    { printf '\\c %s\n' "'$(printf %s "$database_url" | sed "s/'/''/g")'"; printf '%s\n' "${search_path:+SET search_path TO $search_path;}" "$facts_sql"; } |
        timeout 20 docker exec -i "$1" sh -c 'exec psql -X -q -A -t -v ON_ERROR_ROLLBACK=on -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"' 2>&1 |
        tell "database:$1"
}
ask_redis() {
    REDISCLI_AUTH=$redis_password timeout 10 docker exec -e REDISCLI_AUTH "$1" sh -c \
        '[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
        ask() { redis-cli --raw ${user:+--user "$user"} "$@" 2>&1; }
        user=$2
        answer=$(ask EVAL_RO "$1" 0); case $answer in *nknown\ command*) ask EVAL "$1" 0 ;; *) printf "%s" "$answer" ;; esac' \
        redis "$redis_lua" "$redis_user" 2>&1 | tell "redis:$1"
}
ask_front() {
    timeout 8 docker exec "$1" sh -c 'curl -s -i http://127.0.0.1/env-config.js 2>/dev/null || wget -S -qO- http://127.0.0.1/env-config.js 2>&1' |
        head -c 20000 | tell "front:$1"
}
ask_proxy() {
    timeout 8 docker exec "$1" sh -c 'for part in routers services; do
        wget -qO- "http://127.0.0.1:8080/api/http/$part?per_page=10000" 2>/dev/null || curl -fsS "http://127.0.0.1:8080/api/http/$part?per_page=10000" 2>/dev/null || echo null
        echo
    done' 2>/dev/null | tell "proxy:$1"
}
if [ -n "$inside" ]; then
    [ -z "$gateway" ] || ask_gateway &
fi
if [ "$inside" = only ]; then
    [ -z "$api" ] || ask_lago "$api" api inside &
    wait
    echo "facts end"
    exit 0
fi
while read -r role id; do
    case $role in
        api) ask_lago "$id" api "${inside:+inside}" & ;;
        worker | clock) ask_lago "$id" "$role" & ;;
        front) ask_front "$id" & ;;
        redis) ask_redis "$id" & ;;
        proxy) ask_proxy "$id" & ;;
        db)
            if [ -n "$database_url" ]; then
                ask_database "$id" &
            else
                echo "no DATABASE_URL is among the variables of Lago's containers" | tell "database:$id"
            fi ;;
    esac
done <<END
$members
END

# --- the declaration: the files that its containers name ---

if [ -z "$files" ] && [ -n "$project" ]; then
    directory=$found_directory
    files=$(printf '%s' "$found_files" | tr ',' '\n')
    env_files=$(printf '%s' "$found_env_files" | tr ',' '\n')
    # Old Compose names its files from its folder.
    [ ! -d "$directory" ] || cd "$directory"
fi
if [ -z "$compose" ]; then
    for each in "$HOME/.docker/cli-plugins" /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins \
        /usr/lib/docker/cli-plugins /usr/libexec/docker/cli-plugins; do
        [ ! -x "$each/docker-compose" ] || { compose=$each/docker-compose; break; }
    done
    compose=${compose:-$(command -v docker-compose)} || compose=
fi
config() {
    [ -n "$compose" ] || { echo "neither docker compose nor docker-compose is on the host"; return; }
    set --
    [ -z "$project" ] || set -- -p "$project"
    [ -z "$directory" ] || set -- "$@" --project-directory "$directory"
    IFS=$line_feed
    for file in $files; do set -- "$@" -f "$file"; done
    for file in $env_files; do set -- "$@" --env-file "$file"; done
    "$compose" "$@" config --format json 2>&1 || echo "exit $?"
}
{
    printf '%s\ndeclaration\n' "$table"
    [ -z "$files" ] || config
} | awk -v scope=" $scope" "$mask" &

for id in $talkers; do
    begin "logs:$id"
    docker logs --timestamps --tail "$log_lines" "$id" 2>&1
done | awk -v parts=1 -v most=200000 "$mask" &

# --- the host ---

# Whether a file that can't be seen is not there, or hidden from this user: its nearest folder that can be seen tells.
missing() {
    folder=$1
    while folder=${folder%/*} && [ -n "$folder" ] && [ ! -d "$folder" ]; do :; done
    [ -x "${folder:-/}" ] && echo absent || echo hidden
}
key_facts() {
    # Only answers and the public half's digest leave this function.
    command -v openssl >/dev/null || { printf '\tno openssl\t\t'; return; }
    kind=$(openssl pkey -in "$1" -passin pass: -noout -text 2>/dev/null)
    openssl rsa -in "$1" -passin pass: -check -noout >/dev/null 2>&1 && consistent=yes || consistent=no
    digest=$({ openssl pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null || openssl pkey -pubin -in "$1" -pubout -outform DER 2>/dev/null; } | sha256sum)
    header=$(grep -m1 -oE -- '-----BEGIN [A-Z ]+-----' "$1" 2>/dev/null)
    printf '%s\t%s\t%s\t%s' "$header" "${kind%%"$line_feed"*}" "$consistent" "${digest%% *}"
}
{
    begin lagos
    printf '%s\n' "$lagos"
    begin project
    printf '%s\n' "$project"
    begin networks
    docker network ls --no-trunc --format '{{.Name}}'
    begin volumes
    docker volume ls --format '{{.Name}}'
    # What the images' names stand for now.
    begin images
    [ -z "$references" ] || docker image inspect --format '{{.Id}}{{range .RepoTags}} {{.}}{{end}}{{range .RepoDigests}} {{.}}{{end}}' $references 2>/dev/null

    begin files
    printf '%s\n%s\n' "$files" "$env_files" | while read -r file; do
        [ -z "$file" ] || printf '%s\t%s\t%s\n' "$file" "$(stat -Lc '%a %u %F' "$file" 2>/dev/null)" \
            "$(awk '/BEGIN [A-Z ]*PRIVATE KEY|LS0tLS1CRUdJTi/ { printf "%d ", NR }' "$file" 2>/dev/null)"
    done

    begin mounts
    printf '%s\n%s\n' "$mounted" "$sources" | sort -u | while read -r source; do
        case $source in '' | /var/run/docker.sock | /run/docker.sock | /proc* | /sys*) continue ;; esac
        status=$(stat -Lc '%a	%u	%s	%F' "$source" 2>/dev/null) || status="-	-	-	$(missing "$source")"
        details=
        if [ -f "$source" ] && [ ! -r "$source" ]; then
            details="	unreadable		"
        elif [ -f "$source" ]; then
            size=${status#*"$tab"*"$tab"}
            if [ "${size%%"$tab"*}" -lt 65536 ] && case $source in *.pem | *.key) true ;; *) grep -qs -e '-----BEGIN ' "$source" ;; esac; then
                details=$(key_facts "$source")
            fi
        fi
        printf '%s\t%s\t%s\n' "$source" "$status" "$details"
    done

    begin disk
    df -Pk / "${docker_root:-/}" 2>/dev/null || df -Pk /

    begin log-sizes
    printf '%s' "$log_paths" | {
        set --
        while read -r path; do
            for file in "$path" "$path".*; do [ ! -f "$file" ] || set -- "$@" "$file"; done
        done
        [ $# -eq 0 ] || stat -c '%s	%n' "$@" 2>/dev/null
    }

    begin dumps
    for file in $backups; do [ ! -f "$file" ] || stat -c '%Y	%s	%n' "$file"; done | sort -n | tail -n 3
} | awk -v parts=1 -v plain=1 "$mask" &
wait
printf 'clock %s %s\n' "$started" "$(date +%s.%N)"
echo "facts end"
