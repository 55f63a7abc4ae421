# What several steps need: Compose for this deployment, its containers, its database and its Redis.

# Compose gets nothing of this login but what it needs to reach Docker and the registry.
compose_alone() {
    program="docker compose"
    if [ -n "$compose_program" ]; then
        program=$compose_program
    elif ! docker compose version >/dev/null 2>&1; then
        program=docker-compose
    fi
    env -i PATH="$PATH" HOME="${HOME:-/}" ${DOCKER_HOST:+DOCKER_HOST="$DOCKER_HOST"} \
        ${DOCKER_CONFIG:+DOCKER_CONFIG="$DOCKER_CONFIG"} $program "$@"
}
compose() {
    (
        cd "$directory"
        compose_alone --progress quiet -p "$project" --project-directory "${folder:-$directory}" "$@"
    )
}
# With the files of one version; `new_words` and `old_words` are quoted arguments, `coming_words` names the new files before
# they are in place.
coming_compose() { folder=$here/new eval "compose $coming_words \"\$@\""; }
new_compose() { eval "compose $new_words \"\$@\""; }
old_compose() { eval "compose $old_words \"\$@\""; }

# Containers of this project, by service, running or not.
of_service() {
    docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" \
        --filter label=com.docker.compose.oneoff=False
}
running_of() {
    docker ps -q --no-trunc --filter "label=com.docker.compose.project=$project" --filter "label=com.docker.compose.service=$1" \
        --filter label=com.docker.compose.oneoff=False
}
# A container's variable, by a pipe: every user of this host can read arguments.
variable() { docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$1" | sed -n "s/^$2=//p"; }

# Lago's scripts run below a bash that passes no signal on. Docker is asked first, and so does not start it again; then the
# processes inside get the signal; then it is given time to end by itself.
stop_gently() { # container, seconds
    docker kill --signal=TERM "$1" >/dev/null 2>&1 || return 0
    printf '%s' 'for each in /proc/[0-9]*; do
        pid=${each#/proc/}
        [ "$pid" = 1 ] || [ "$pid" = $$ ] || kill -TERM "$pid" 2>/dev/null
    done' | timeout 10 docker exec -i "$1" sh -s >/dev/null 2>&1 || :
    docker stop -t "$2" "$1" >/dev/null
}

# psql in the database's container, as its owner; SQL comes by standard input.
psql_in() { # container, database
    docker exec -i "$1" sh -c 'exec psql -X -q -A -t -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d "$1"' psql "$2"
}
db_container() { running_of "$db_service" | head -n 1; }
redis_container() { running_of "$redis_service" | head -n 1; }

# A URL's part, its percent signs decoded.
decoded() { printf '%b' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/%\([0-9A-Fa-f][0-9A-Fa-f]\)/\\x\1/g')"; }
# redis-cli in the database of the jobs, with the password of the URL that Lago uses.
redis_url() {
    for service in $worker_services $api_service; do
        for client in $(of_service "$service"); do
            url=$(variable "$client" REDIS_URL)
            [ -z "$url" ] || { printf '%s' "$url" && return; }
        done
    done
}
redis_in() { # container, then the words
    in_redis=$1
    shift
    url=$(redis_url)
    rest=${url#*://}
    user= password=
    case $rest in *@*)
        given=${rest%@*} rest=${rest##*@}
        user=$(decoded "${given%%:*}")
        case $given in *:*) password=$(decoded "${given#*:}") ;; esac ;;
    esac
    number=0
    case $rest in */*) number=${rest#*/} number=${number%%\?*} ;; esac
    set -- -n "${number:-0}" --raw "$@"
    [ -z "$user" ] || [ "$user" = default ] || set -- --user "$user" "$@"
    if [ -n "$password" ]; then
        REDISCLI_AUTH=$password docker exec -i -e REDISCLI_AUTH "$in_redis" redis-cli --no-auth-warning "$@"
    else
        docker exec -i "$in_redis" redis-cli "$@"
    fi
}
# Looks again until a command succeeds; fails when the seconds are over.
wait_for() { # seconds, command
    end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$end" ] || return 1
        sleep 0.3
    done
}
# Puts a file in place whole: beside its place first, then by a rename.
put_whole() { # content, file, mode, owner if it is not this user
    beside=$(mktemp "$(dirname "$2")/.lago-acceptance.XXXXXX")
    cat "$1" >"$beside" && { [ -z "${4:-}" ] || chown "$4" "$beside"; } && chmod "$3" "$beside" && mv -f "$beside" "$2" && return
    rm -f "$beside"
    return 1
}
free_bytes() { df -Pk "$1" | awk 'NR == 2 { printf "%.0f", $4 * 1024 }'; }
