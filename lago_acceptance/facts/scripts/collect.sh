# Observes a Docker host in one go. Changes nothing there.
# Variables that precede this text: project, wanted_directory, compose, directory, files, env_files and sources (one a
# line), log_lines, backups, gateway_network, inside (too: what gateway and API see of each other as well; only: nothing
# else), stranger (a key that no organization has), and the texts plan, mask, gateway_sh, lago_rb, redis_lua and facts_sql.
# The functions host_sections and last_sections precede it as well (render.py).
# Output: the line "facts begin", lines of sections as mask.awk writes them, interleaved, and the line "facts end".
# This text may come by standard input, so nothing in it reads that: it is one function, called at the end.

tab='	'
line_feed='
'

tell() { awk -v name="$1" "$mask"; }
# Several sections share one awk: what follows belongs to the section that was begun last. The leading line feed ends a
# line that the previous section left open; empty lines are left out.
begin() { printf '\n\t%s\n' "$1"; }

# --- which containers there are ---

# One inspection of all containers. The first letter of a line says what it is for: R which service it is, P where its
# project lies, V a value that this script needs, E an environment variable, N a network, M a mount, L its files and
# whether it is well, C everything as JSON.
template='R	{{.Id}}	{{.State.Running}}	{{with .Config.Labels}}{{or (index . "com.docker.compose.project") "-"}}	{{or (index . "lago-acceptance.role") "-"}}{{else}}-	-{{end}}	{{.Config.Image}} {{.Path}} {{json .Args}}
{{$id := .Id}}{{with .Config.Labels}}P	{{$id}}	{{index . "com.docker.compose.project.working_dir"}}	{{index . "com.docker.compose.project.config_files"}}	{{index . "com.docker.compose.project.environment_file"}}
{{end}}L	{{.Id}}	{{.LogPath}}	{{.HostnamePath}}	{{if and .State.Running (not .State.Restarting) (eq (print .RestartCount) "0")}}{{with index .State "Health"}}{{.Status}}{{else}}healthy{{end}}{{end}}
{{range .Config.Env}}{{$name := index (split . "=") 0}}{{if or (eq $name "DATABASE_URL") (eq $name "REDIS_URL") (eq $name "REDIS_PASSWORD") (eq $name "LAGO_API_KEY") (eq $name "LAGO_ORG_API_KEY") (eq $name "POSTGRES_SCHEMA")}}V	{{$id}}	{{println .}}{{end}}E	{{$id}}	{{printf "%q" .}}
{{end}}{{range $name, $each := .NetworkSettings.Networks}}N	{{$id}}	{{println $name}}{{end}}{{range .Mounts}}{{if eq .Type "bind"}}M	{{$id}}	{{println .Source}}{{end}}{{end}}C	{{.Id}}	{"id":{{json .Id}},"name":{{json .Name}},"created":{{json .Created}},"path":{{json .Path}},"args":{{json .Args}},"state":{{json .State}},"restarts":{{.RestartCount}},"log_path":{{json .LogPath}},"image_id":{{json .Image}},"image":{{json .Config.Image}},"working_dir":{{json .Config.WorkingDir}},"command":{{json .Config.Cmd}},"entrypoint":{{json .Config.Entrypoint}},"labels":{{json .Config.Labels}},"healthcheck":{{with index .Config "Healthcheck"}}{{json .}}{{else}}null{{end}},"mounts":{{json .Mounts}},"host":{{json .HostConfig}},"networks":{{json .NetworkSettings.Networks}},"ports":{{json .NetworkSettings.Ports}}}'
# A rootless Docker that only a login's profile knows of.
rootless=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
listed() { containers=$(docker ps -aq --no-trunc 2>/dev/null); }
at_rootless() { [ -z "$DOCKER_HOST" ] && [ -S "$rootless" ] && export DOCKER_HOST="unix://$rootless"; }
# Sets table; fails, and says why, where Docker doesn't answer.
inspect() {
    if ! { listed || { at_rootless && listed; }; }; then
        docker version --format '{{.Server.Version}}' 2>&1 | tell docker-error
        return 1
    fi
    table=
    [ -n "$containers" ] || return 0
    # A container that is removed meanwhile is missing; the others are printed all the same.
    table=$(docker inspect --type container --format "$template" $containers 2>/dev/null)
    [ -n "$table" ] && return 0
    docker inspect --type container --format "$template" $containers 2>&1 | tail -n 1 | tell docker-error
    return 1
}

# --- inside of containers ---

ask_lago() { # container, role, what else
    LAGO_API_KEY=$api_key timeout 15 docker exec -e LAGO_API_KEY "$1" ruby --disable-gems -e "$lago_rb" "$2" "$3" 2>&1 | tell "lago:$1"
}
ask_gateway() {
    {
        # The gateway exists even where nothing can be run in it.
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
# What takes longest begins first.
ask_all() {
    [ -z "$inside" ] || [ -z "$gateway" ] || ask_gateway &
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
}
logs() {
    for id in $talkers; do
        begin "logs:$id"
        docker logs --timestamps --tail "$log_lines" "$id" 2>&1
    done
}

# --- the declaration: the files that the containers name ---

find_files() {
    if [ -z "$files" ] && [ -n "$project" ]; then
        directory=$found_directory
        files=$(printf '%s' "$found_files" | tr ',' '\n')
        env_files=$(printf '%s' "$found_env_files" | tr ',' '\n')
        # Old Compose names its files from its folder.
        [ ! -d "$directory" ] || cd "$directory"
    fi
}
find_compose() {
    [ -z "$compose" ] || return 0
    for each in "$HOME/.docker/cli-plugins" /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins \
        /usr/lib/docker/cli-plugins /usr/libexec/docker/cli-plugins; do
        [ ! -x "$each/docker-compose" ] || { compose=$each/docker-compose; return 0; }
    done
    compose=$(command -v docker-compose) || compose=
}
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
declaration() {
    printf '%s\ndeclaration\n' "$table"
    [ -z "$files" ] || config
}

# --- all of it ---

collect() {
    echo "facts begin"
    export LC_ALL=C
    # Docker's client is started often, does little, and ends before there is garbage to collect.
    export GOMAXPROCS=1 GOGC=400
    started=$(date +%s.%N)
    if inspect; then
        eval "$(printf '%s\n' "$table" | wanted_project=$project wanted_directory=$wanted_directory gateway_network=$gateway_network awk "$plan")"
        if [ "$inside" = only ]; then
            [ -z "$gateway" ] || ask_gateway &
            [ -z "$api" ] || ask_lago "$api" api inside &
            wait
        else
            ask_all
            find_files
            find_compose
            declaration | awk -v scope=" $scope" "$mask" &
            logs | awk -v parts=1 -v most=200000 "$mask" &
            host_sections | awk -v parts=1 "$mask" &
            wait
            last_sections | awk -v parts=1 "$mask"
        fi
    fi
    echo "facts end"
}
collect </dev/null
