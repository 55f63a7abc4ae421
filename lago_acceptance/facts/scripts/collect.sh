# Observes a Docker host in one go. Changes nothing there, and trusts no container and no label: what they say is data of
# a bounded size, and a credential goes only to a container that has it already or that the compose file declares.
# Variables that precede this text: nonce (a word that nothing on the host can know), project, wanted_directory, compose,
# directory, files, env_files and sources (one a line), given (names of variables for Compose), log_lines, backups,
# gateway_network, inside (too: what gateway and API see of each other as well; only: nothing else), patience (1; more for a
# second look: one question after the other, each with so many times as long), stranger (a key that no organization has),
# upgrade (empty where none is asked about; too: what it needs to know as well; only: nothing else, and no two questions at
# once, so that PostgreSQL has the processors), and for that jobs (parts of the names of the jobs that fill data in) and
# upgrade_sql, and the texts plan, mask, declares, gateway_sh, lago_rb, elsewhere_rb, redis_lua and facts_sql.
# The functions host_sections and last_sections precede it as well (render.py), and those of declaration.sh.
# Output: the line "facts begin <nonce>", lines of sections as mask.awk writes them, interleaved, and the line
# "facts end <nonce>".
# This text may come by standard input, so nothing in it reads that: it is one function, called at the end.

tab='	'
line_feed='
'
secrets=

# Sends the sections that a function prints, which leaves the rest of a loop's input alone. Secrets go by a pipe: every user of the host can read arguments.
send() { { known; "$@" </dev/null; } | nonce=$nonce awk "$mask"; }
known() { printf '%s%s\n' "$secrets" "$nonce"; }
# What follows belongs to the section that was begun last, and no more of it than so many bytes. The leading line feed ends
# a line that the previous section left open.
begin() { printf '\n%s\t%s\t%s\t%s\n' "$nonce" "$1" "${2:-4000000}" "$3"; }
# One byte more than a section may have: mask.awk says that something is left out. BusyBox' awk takes long over zero bytes.
bounded() { head -c "${1:-4000001}" | tr -d '\000'; }

# --- which containers there are ---

# One inspection of all containers, every value as JSON, so that none can end a row or a field. The first letter of a row
# says what it is for: R which service it is, P where its project lies, G what else groups containers, E an environment
# variable, N a network, M a mount, V a volume's folder on the host, L its files and whether it is well, C everything.
template='R	{{.Id}}	{{.State.Running}}	{{with .Config.Labels}}{{json (index . "com.docker.compose.project")}}	{{json (index . "lago-acceptance.role")}}	{{json (index . "com.docker.compose.service")}}{{else}}null	null	null{{end}}	{{json .Config.Image}}	{{json .Path}}	{{json .Args}}	{{json .Name}}
{{$id := .Id}}{{with .Config.Labels}}P	{{$id}}	{{json (index . "com.docker.compose.project.working_dir")}}	{{json (index . "com.docker.compose.project.config_files")}}	{{json (index . "com.docker.compose.project.environment_file")}}
G	{{$id}}	{{json (index . "io.podman.compose.project")}}	{{json (index . "com.docker.stack.namespace")}}	{{json (index . "com.docker.swarm.service.name")}}	{{json (index . "com.docker.swarm.task.name")}}	{{json (index . "coolify.type")}}	{{json (index . "io.kubernetes.pod.name")}}
{{end}}L	{{.Id}}	{{json .LogPath}}	{{json .HostnamePath}}	{{if and .State.Running (not .State.Restarting) (eq (print .RestartCount) "0")}}{{with index .State "Health"}}{{.Status}}{{else}}healthy{{end}}{{end}}
{{range .Config.Env}}E	{{$id}}	{{json .}}
{{end}}{{range $name, $each := .NetworkSettings.Networks}}N	{{$id}}	{{json $name}}	{{json $each}}
{{end}}{{range .Mounts}}{{if eq .Type "bind"}}M	{{$id}}	{{json .Source}}
{{else if eq .Type "volume"}}V	{{$id}}	{{json .Source}}
{{end}}{{end}}C	{{.Id}}	{"id":{{json .Id}},"name":{{json .Name}},"hostname":{{json .Config.Hostname}},"created":{{json .Created}},"path":{{json .Path}},"args":{{json .Args}},"state":{{json .State}},"restarts":{{.RestartCount}},"log_path":{{json .LogPath}},"image_id":{{json .Image}},"image":{{json .Config.Image}},"working_dir":{{json .Config.WorkingDir}},"user":{{json .Config.User}},"stop_timeout":{{json (index .Config "StopTimeout")}},"stop_signal":{{json (index .Config "StopSignal")}},"command":{{json .Config.Cmd}},"entrypoint":{{json .Config.Entrypoint}},"labels":{{json .Config.Labels}},"healthcheck":{{with index .Config "Healthcheck"}}{{json .}}{{else}}null{{end}},"mounts":{{json .Mounts}},"host":{{json .HostConfig}},"networks":{{json .NetworkSettings.Networks}},"ports":{{json .NetworkSettings.Ports}}}'
# Podman's own program has other names for some fields, and no index into them.
for_podman='s/(index \.Config "\([A-Za-z]*\)")/.Config.\1/g; s/index \.\([A-Z][a-z]*\) "\([A-Za-z]*\)"/.\1.\2/g; s/\.Id\([^a-z]\)/.ID\1/g; s/\.LogPath/.HostConfig.LogConfig.Path/g'
# Sockets that only a login's profile knows of: a rootless Docker's, Podman's and Docker Desktop's.
runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
sockets="$runtime/docker.sock $HOME/.docker/desktop/docker.sock $HOME/.docker/run/docker.sock /run/podman/podman.sock $runtime/podman/podman.sock"
listed() { containers=$(docker ps -aq --no-trunc 2>/dev/null); }
listed_elsewhere() {
    [ -z "$DOCKER_HOST" ] || return 1
    for socket in $sockets; do
        [ ! -S "$socket" ] || { export DOCKER_HOST="unix://$socket" && listed && return; }
    done
    unset DOCKER_HOST
    return 1
}
say() {
    begin "$1"
    printf '%s\n' "$2"
}
# Sets table; fails, and says why, where Docker doesn't answer.
inspect() {
    if ! { listed || listed_elsewhere; }; then
        send say docker-error "$(docker version --format '{{.Server.Version}}' 2>&1 | tail -n 1 | bounded 2000)"
        send say instead "$(instead)"
        return 1
    fi
    table=
    case $(docker --version 2>/dev/null) in podman*) template=$(printf '%s' "$template" | sed "$for_podman") ;; esac
    [ -n "$containers" ] || return 0
    # A container that is removed meanwhile is missing; the others are printed all the same.
    table=$(docker inspect --type container --format "$template" $containers 2>/dev/null | bounded 16000001)
    if [ "${#table}" -gt 16000000 ]; then
        send say docker-error "docker inspect prints more than 16 MB about the containers"
        return 1
    fi
    [ -n "$table" ] && return 0
    said=$(docker inspect --type container --format "$template" $containers 2>&1 >/dev/null | tail -n 1 | bounded 2000)
    send say docker-error "${said:-docker inspect printed nothing}"
    return 1
}

# What runs Lago in the place of Docker, one a line: "kubernetes" and its programs that run, or "systemd" and a unit.
instead() {
    cat /proc/[0-9]*/comm 2>/dev/null | sort -u | awk '/^(kubelet|kubelite|k3s|k0s|rke2)(-server|-agent)?$/ { print "kubernetes\t" $0 }'
    [ ! -d /run/systemd/system ] || systemctl list-units --type=service --no-legend --plain 2>/dev/null |
        awk 'tolower($1) ~ /(^|[-_.@])lago([-_.@]|$)/ { print "systemd\t" $1 }' | head -n 20
}

# --- inside of containers ---

# Runs a command for so many seconds, times patience, and says so where it takes longer: GNU's timeout ends with 124 then,
# BusyBox' with 143.
within() {
    limit=$(($1 * patience))
    shift
    timeout "$limit" "$@"
    case $? in 124 | 143) printf '\nno answer within %s s\n' "$limit" ;; esac
}
# Begins a question beside the others, or asks them one after the other.
ask() { if [ "$patience" -gt 1 ] || [ "$upgrade" = only ]; then send "$@"; else send "$@" & fi; }

# The key is handed to a declared container only: one that has it uses its own.
ask_lago() { # container, role, trust, what else
    begin "lago:$1" 8000000
    key=
    [ "$3" != declared ] || key=$api_key
    LAGO_API_KEY=$key within 15 docker exec ${key:+-e LAGO_API_KEY} "$1" \
        ruby --disable-gems -e "$lago_rb" "$2" "$4" "$patience" ${upgrade:+upgrade} 2>&1 | bounded 8000001
}
ask_gateway() {
    begin "gateway:$gateway"
    # The gateway exists even where nothing can be run in it.
    echo asked
    printf '%s' "$gateway_sh" |
        within 12 docker exec -i -e stranger="$stranger" -e fallback=http://lago-api:3000 -e seconds="$((5 * patience))" \
            "$gateway" sh -s 2>&1 | bounded
    gateway_log
}
# It says why the gateway falls back, or why it ended. That of one in Lago's own project is among its logs.
gateway_log() {
    id=${gateway:-$ended_gateway}
    case " $talkers " in *" $id "*) [ "$inside" = only ] || return 0 ;; esac
    [ -n "$id" ] || return 0
    begin "logs:$id" 60000 last
    within 10 docker logs --timestamps --tail 300 "$id" 2>&1 | tail -c 200000 | tr -d '\000' | tail -n 300
}
# Runs SQL as Lago, by its own DATABASE_URL.
as_lago() { # container, SQL
    { printf '\\c %s\n' "'$(printf %s "$database_url" | sed "s/'/''/g")'"; printf '%s\n' "${search_path:+SET search_path TO $search_path;}" "$2"; } |
        within 20 docker exec -i "$1" sh -c 'exec psql -X -q -A -t -v ON_ERROR_ROLLBACK=on -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"' 2>&1 | bounded
}
ask_database() {
    begin "database:$1"
    as_lago "$1" "$facts_sql"
}
# Of an upgrade: what the data lacks for it, and the room for its dump and copies.
ask_upgrade() {
    begin "upgrade:$1"
    as_lago "$1" "$upgrade_sql"
    space
}
space() {
    begin space
    for folder in "$directory" "${docker_root:-/}"; do df -Pk "$folder" 2>/dev/null; done
}
# Asks a store that is no container of the deployment, from a container of Lago's: by the URL that Lago uses there.
ask_elsewhere() { # container, database or redis, what to ask
    begin "$2:$1"
    printf '%s\n' "$3" | within 20 docker exec -i "$1" ruby -e "$elsewhere_rb" "$2" "$patience" "$jobs" 2>&1 | bounded
}
ask_stores_elsewhere() {
    if [ -n "$database_from" ]; then
        ask ask_elsewhere "$database_from" database "${search_path:+SET search_path TO $search_path;}$line_feed$facts_sql"
        [ -z "$upgrade" ] || ask ask_upgrade_elsewhere
    fi
    [ -z "$redis_from" ] || ask ask_elsewhere "$redis_from" redis "$redis_lua"
}
ask_upgrade_elsewhere() {
    begin "upgrade:$database_from"
    printf '%s\n' "${search_path:+SET search_path TO $search_path;}$line_feed$upgrade_sql" |
        within 20 docker exec -i "$database_from" ruby -e "$elsewhere_rb" database "$patience" 2>&1 | bounded
    space
}
# Each answer behind a line of its own, which redis_answers.py knows: by one connection, and where that says nothing between
# the answers (ECHO is forbidden, Redis is busy), by one for each. A write to what isn't there changes nothing, and gets the
# answer that Lago's writes get.
ask_redis() {
    begin "redis:$1"
    REDISCLI_AUTH=$redis_password within 12 docker exec -e REDISCLI_AUTH "$1" sh -c \
        '[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
        user=$2 database=$3
        ask() { redis-cli --raw ${user:+--user "$user"} "$@" 2>&1; }
        part() { printf "\n@reply %s\n" "$1"; shift; ask "$@" | head -c 400000; }
        questions() {
            for each in info:INFO "clients:CLIENT LIST" "settings:CONFIG GET save" "CONFIG GET appendonly" \
                "CONFIG GET stop-writes-on-bgsave-error" "CONFIG GET protected-mode" \
                "write:ZADD schedule XX 1 lago-acceptance:nothing" "script:EVALSHA 0000000000000000000000000000000000000000 0"; do
                "$@" "$each"
            done
        }
        line() { case $1 in [a-z]*:*) printf "ECHO \"@reply %s\"\n" "${1%%:*}"; printf "%s\n" "${1#*:}" ;; *) printf "%s\n" "$1" ;; esac; }
        alone() { case $1 in [a-z]*:*) part ${1%%:*} ${1#*:} ;; *) ask $1 ;; esac; }
        command -v redis-cli >/dev/null || { echo "redis-cli: not found"; exit; }
        answers=$(questions line | ask | head -c 800000)
        case $answers in *"@reply script"*) printf "%s\n" "$answers" ;; *) questions alone ;; esac
        [ -n "$REDISCLI_AUTH$user" ] || case $answers in *"protected-mode
yes"*) part anonymous PING ;; esac
        printf "\n@reply sidekiq\n"
        answer=$(ask EVAL_RO "$1" 0 "$database" "$4"); case $answer in *nknown\ command*) ask EVAL "$1" 0 "$database" "$4" ;; *) printf "%s" "$answer" ;; esac' \
        redis "$redis_lua" "$redis_user" "$redis_database" "$jobs" 2>&1 | bounded
}
ask_front() {
    begin "front:$1"
    within 8 docker exec "$1" sh -c 'curl -s -i http://127.0.0.1/env-config.js 2>/dev/null || wget -S -qO- http://127.0.0.1/env-config.js 2>&1' |
        bounded 20000
}
ask_proxy() {
    begin "proxy:$1" 8000000
    within 8 docker exec "$1" sh -c 'for part in routers services; do
        wget -qO- "http://127.0.0.1:8080/api/http/$part?per_page=10000" 2>/dev/null || curl -fsS "http://127.0.0.1:8080/api/http/$part?per_page=10000" 2>/dev/null || echo null
        echo
    done' 2>/dev/null | bounded 8000001
}
settle_trust() { [ "$trust" != declared ] || is_declared "$service" "$image" || trust=foreign; }
# What takes longest begins first.
ask_all() {
    [ -z "$inside" ] || see_gateway
    ask_stores_elsewhere
    while read -r role id trust name service image; do
        settle_trust
        case $role:$database_from:$redis_from in db:?*:* | redis:*:?*) continue ;; esac
        case $upgrade:$role in only:worker | only:clock | only:front | only:proxy) continue ;; esac
        case $role in
            api) ask ask_lago "$id" api "$trust" "${inside:+inside}" ;;
            worker | clock) ask ask_lago "$id" "$role" trusted "" ;;
            front) ask ask_front "$id" ;;
            proxy) ask ask_proxy "$id" ;;
            redis)
                if [ "$trust" = foreign ]; then
                    send say "redis:$id" "$(withheld "$name" "Redis' password")"
                else
                    ask ask_redis "$id"
                fi ;;
            db)
                if [ -z "$database_url" ]; then
                    send say "database:$id" "no DATABASE_URL is among the variables of Lago's containers"
                elif [ "$trust" = foreign ]; then
                    send say "database:$id" "$(withheld "$name" "the password of DATABASE_URL")"
                else
                    ask ask_database "$id"
                    [ -z "$upgrade" ] || ask ask_upgrade "$id"
                fi ;;
        esac
    done <<END
$members
END
}
see_gateway() { if [ -n "$gateway" ]; then ask ask_gateway; else ask gateway_log; fi; }
ask_inside() {
    see_gateway
    while read -r role id trust name service image; do
        [ "$id" = "$api" ] || continue
        settle_trust
        ask ask_lago "$id" api "$trust" inside
    done <<END
$members
END
}
withheld() {
    echo "the container $1 was not queried: it does not have $2 in its own configuration, and the compose file on the host does not declare it with its image"
}
logs() {
    for id in $talkers; do
        begin "logs:$id" 200000 last
        timeout 15 docker logs --timestamps --tail "$log_lines" "$id" 2>&1 | tail -c 1000000 | tr -d '\000' | tail -n "$log_lines"
    done
}

# --- all of it ---

collect() {
    echo "facts begin $nonce"
    export LC_ALL=C
    # Docker's client is started often, does little, and ends before there is garbage to collect.
    export GOMAXPROCS=1 GOGC=400
    started=$(date +%s.%N)
    if inspect; then
        eval "$(printf '%s\n' "$table" | wanted_project=$project wanted_directory=$wanted_directory gateway_network=$gateway_network files=$files awk "$plan")"
        find_files
        find_compose
        if [ "$inside" = only ]; then
            ask_inside
            wait
        else
            ask_all
            { known; declaration; } | nonce=$nonce awk -v scope=" $scope" "$mask" &
            send say scope "$scope" &
            send logs &
            send host_sections &
            wait
            send last_sections
        fi
    fi
    echo "facts end $nonce"
}
collect </dev/null
