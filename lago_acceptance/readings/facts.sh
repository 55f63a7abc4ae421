# Everything that is observed on a Docker host, in one go and without changing anything there.
# Variables that precede this text: project, wanted_directory, compose, directory, files, env_files and sources (one a
# line), log_lines, backups, mask, lago_rb, redis_lua, facts_sql, gateway_network and billing (billing.sh, "" where it is not asked for) with
# its stranger, and the function role_of (roles.py).
# Output, after the line "facts begin": lines "<section> <base64>", interleaved; a line is short enough to be written
# in one piece. The last one is "facts end".

echo "facts begin"
started=$(date +%s.%N)
tab='	'
line_feed='
'

if : | sed -u p 2>/dev/null; then
    labelled() { sed -u "s|^|$1 |"; }
else
    labelled() { awk -v name="$1" '{ print name " " $0; fflush() }'; }
fi
section() { base64 -w 3000 | labelled "$1"; }
scrubbed() { awk "$mask"; }

# A rootless Docker that only the profile of a login knows.
rootless=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock
if ! containers=$(docker ps -aq --no-trunc 2>/dev/null) && [ -z "$DOCKER_HOST" ] && [ -S "$rootless" ]; then
    export DOCKER_HOST="unix://$rootless"
fi
if ! containers=$(docker ps -aq --no-trunc 2>/dev/null); then
    docker version --format '{{.Server.Version}}' 2>&1 | section docker-error
    echo "facts end"
    exit 0
fi
{
    info=$(docker info --format '{{json .}}' 2>/dev/null)
    printf '%s\n' "$info" | section info
    { df -Pk / "$(printf '%s' "$info" | sed -n 's/.*"DockerRootDir":"\([^"]*\)".*/\1/p')" 2>/dev/null || df -Pk /; } | section disk
} &
docker network ls --no-trunc --format '{{json .}}' | section networks &
docker volume ls --format '{{json .}}' | section volumes &

# One look at every container. What a line is for, its first letter tells: R who it is, V a value that readings need,
# E an environment variable, N a network, M a mount, L a log file, C all of it as JSON.
template='R	{{.Id}}	{{.State.Running}}	{{with .Config.Labels}}{{or (index . "com.docker.compose.project") "-"}}	{{or (index . "lago-acceptance.role") "-"}}{{else}}-	-{{end}}	{{.Config.Image}} {{.Path}} {{json .Args}}
{{$id := .Id}}{{with .Config.Labels}}D	{{$id}}	{{index . "com.docker.compose.project.working_dir"}}	{{index . "com.docker.compose.project.config_files"}}	{{index . "com.docker.compose.project.environment_file"}}
{{end}}L	{{.Id}}	{{.LogPath}}
{{range .Config.Env}}{{$name := index (split . "=") 0}}{{if or (eq $name "DATABASE_URL") (eq $name "REDIS_URL") (eq $name "REDIS_PASSWORD") (eq $name "LAGO_API_KEY") (eq $name "POSTGRES_SCHEMA")}}V	{{$id}}	{{println .}}{{end}}E	{{$id}}	{{printf "%q" .}}
{{end}}{{range $name, $each := .NetworkSettings.Networks}}N	{{$id}}	{{println $name}}{{end}}{{range .Mounts}}{{if eq .Type "bind"}}M	{{$id}}	{{println .Source}}{{end}}{{end}}C	{{.Id}}	{"id":{{json .Id}},"name":{{json .Name}},"created":{{json .Created}},"path":{{json .Path}},"args":{{json .Args}},"state":{{json .State}},"restarts":{{.RestartCount}},"image_id":{{json .Image}},"image":{{json .Config.Image}},"command":{{json .Config.Cmd}},"entrypoint":{{json .Config.Entrypoint}},"labels":{{json .Config.Labels}},"healthcheck":{{with index .Config "Healthcheck"}}{{json .}}{{else}}null{{end}},"mounts":{{json .Mounts}},"host":{{json .HostConfig}},"networks":{{json .NetworkSettings.Networks}},"ports":{{json .NetworkSettings.Ports}}}'
# One that is removed meanwhile is missing, and the others are there.
[ -z "$containers" ] || table=$(docker inspect --type container --format "$template" $containers 2>/dev/null)
if [ -n "$containers" ] && [ -z "$table" ]; then
    docker inspect --type container --format "$template" $containers 2>&1 | tail -n 1 | section docker-error
    echo "facts end"
    exit 0
fi
lines_of() { printf '%s\n' "$table" | sed -n "s/^$1$tab//p"; }
field_of() { printf '%s\n' "$table" | sed -n "s/^$1$tab$2$tab//p"; }

# Which projects have Lago in them, and which of them is meant.
members= lagos=
while IFS=$tab read -r id running owner label command; do
    [ -n "$id" ] || continue
    role_of "$label" "$command "
    members="$members$id $running $owner ${role:--}
"
    case $role in api | worker | clock | migrate | front)
        case " $lagos " in *" $owner "*) ;; *) [ "$owner" = - ] || lagos="$lagos $owner" ;; esac ;;
    esac
done <<END
$(lines_of R)
END
each_member() { printf '%s' "$members"; }
place_of() { field_of D "$(each_member | while read -r id _ owner _; do [ "$owner" != "$1" ] || { echo "$id"; break; }; done)"; }
found= there=
for each in $lagos; do
    place=$(place_of "$each")
    found="$found$each$tab${place%%"$tab"*}
"
    [ "${place%%"$tab"*}" != "${wanted_directory:--}" ] || there="$there $each"
done
set -- $there
[ -n "$project" ] || [ $# -ne 1 ] || project=$1
printf '%s' "$found" | section lagos
[ -n "$project" ] || [ "$(printf '%s' "$found" | grep -c .)" -ne 1 ] || project=${found%%"$tab"*}

own=$(each_member | while read -r id _ owner _; do [ "$owner" != "${project:-/}" ] || printf '%s ' "$id"; done)
printf '%s' "$project" | section project
in_scope() { case " $own" in *" $1 "*) return 0 ;; esac; return 1; }
mine() { printf '%s\n' "$table" | awk -F "$tab" -v kind="$1" -v own=" $own" '$1 == kind && index(own, " " $2 " ")'; }

rubies=$(each_member | while read -r id _ _ role; do case $role in api | worker | clock | migrate) printf '%s ' "$id" ;; esac; done)
value_of() {
    printf '%s\n' "$table" | awk -F "$tab" -v ids=" $rubies" -v own=" $own" -v name="$1=" \
        '$1 == "V" && index(own, " " $2 " ") && index(ids, " " $2 " ") && index($3, name) == 1 { print substr($3, length(name) + 1); exit }'
}
found_DATABASE_URL=$(value_of DATABASE_URL)
found_REDIS_URL=$(value_of REDIS_URL)
found_REDIS_PASSWORD=$(value_of REDIS_PASSWORD)
found_LAGO_API_KEY=$(value_of LAGO_API_KEY)

# Rails takes parameters in a URL that psql refuses (search_path, pool): psql is given those that it knows.
parameters_of() { printf '%s' "$found_DATABASE_URL" | sed -n 's/^[^?]*?//p' | tr '&' '\n'; }
for_psql() {
    known=$(parameters_of | grep -E '^(ssl[a-z_]*|connect_timeout|options|application_name|host|port|user|password|dbname|channel_binding|gssencmode|target_session_attrs)=' | tr '\n' '&')
    printf '%s' "${found_DATABASE_URL%%\?*}${known:+?${known%&}}"
}
search_path=$(parameters_of | sed -n 's/^\(schema_\)\{0,1\}search_path=//p' | sed 's/%2[Cc]/,/g; s/%22/"/g; s/%20/ /g')
search_path=$(printf '%s' "${search_path:-$(value_of POSTGRES_SCHEMA)}" | tr -dc 'A-Za-z0-9_,"$ -')

# Percent-encoded text as it is meant.
plain() {
    awk '{
        while (match($0, /%[0-9A-Fa-f][0-9A-Fa-f]/)) {
            code = 16 * (index(hex, tolower(substr($0, RSTART + 1, 1))) - 1) + index(hex, tolower(substr($0, RSTART + 2, 1))) - 1
            printf "%s%c", substr($0, 1, RSTART - 1), code
            $0 = substr($0, RSTART + 3)
        }
        printf "%s", $0
    }' hex=0123456789abcdef
}

# What takes longest begins first.
while read -r id running owner role; do
    [ "$running" = true ] || continue
    if [ "$role" = proxy ]; then
        timeout 8 docker exec "$id" sh -c 'for part in routers services; do
            wget -qO- "http://127.0.0.1:8080/api/http/$part?per_page=10000" 2>/dev/null || curl -fsS "http://127.0.0.1:8080/api/http/$part?per_page=10000" 2>/dev/null || echo null
            echo
        done' 2>/dev/null | scrubbed | section "proxy:$id" &
    fi
    in_scope "$id" || continue
    case $role in
        front)
            timeout 8 docker exec "$id" sh -c 'curl -s -i http://127.0.0.1/env-config.js 2>/dev/null || wget -S -qO- http://127.0.0.1/env-config.js 2>&1' |
                head -c 20000 | section "front:$id" & ;;
        db)
            [ -n "$found_DATABASE_URL" ] || { echo "no DATABASE_URL is among the variables of Lago's containers" | section "database:$id"; continue; }
            { printf '\\c %s\n' "'$(for_psql | sed "s/'/''/g")'"; printf '%s\n' "${search_path:+SET search_path TO $search_path;}" "$facts_sql"; } |
                timeout 20 docker exec -i "$id" sh -c 'exec psql -X -q -A -t -v ON_ERROR_ROLLBACK=on -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"' 2>&1 |
                scrubbed | section "database:$id" & ;;
        redis)
            credentials=$(printf '%s' "$found_REDIS_URL" | sed -n 's|^[a-z]*://\([^/]*\)@[^@]*$|\1|p' | plain)
            case $credentials in *:*) user=${credentials%%:*} password=${credentials#*:} ;; *) user= password= ;; esac
            REDISCLI_AUTH=${password:-$found_REDIS_PASSWORD} timeout 10 docker exec -e REDISCLI_AUTH "$id" sh -c \
                '[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH
                ask() { redis-cli --raw ${user:+--user "$user"} "$@" 2>&1; }
                user=$2
                answer=$(ask EVAL_RO "$1" 0); case $answer in *nknown\ command*) ask EVAL "$1" 0 ;; *) printf "%s" "$answer" ;; esac' \
                redis "$redis_lua" "$user" 2>&1 | section "redis:$id" & ;;
        api | worker | clock)
            LAGO_API_KEY=$found_LAGO_API_KEY timeout 15 docker exec -e LAGO_API_KEY "$id" ruby --disable-gems -e "$lago_rb" "$role" 2>&1 | scrubbed | section "lago:$id" & ;;
    esac
done <<END
$members
END

if [ -n "$billing" ]; then
    reached=" $(lines_of N | awk -F "$tab" -v name="$gateway_network" '$2 == name { printf "%s ", $1 }')"
    gateway= api=
    while read -r id running owner role; do
        case $running,$role in
            true,gateway) case $reached in *" $id "*) gateway=${gateway:-$id} ;; esac ;;
            true,api) ! in_scope "$id" || api=${api:-$id} ;;
        esac
    done <<END
$members
END
    (eval "$billing") | section billing &
fi

lines_of C | sed 's/^[^	]*	//' | scrubbed | section containers &

# Its declaration: the files that its containers name.
if [ -z "$files" ] && [ -n "$project" ]; then
    place=$(place_of "$project")
    directory=${place%%"$tab"*}
    place=${place#*"$tab"}
    files=$(printf '%s' "${place%%"$tab"*}" | tr ',' '\n')
    env_files=$(printf '%s' "${place#*"$tab"}" | tr ',' '\n')
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
    mine E
    [ -z "$files" ] || config | sed 's/^/D	/'
} | awk "$mask" | section environment &

printf '%s\n%s\n' "$files" "$env_files" | while read -r file; do
    [ -z "$file" ] || printf '%s\t%s\t%s\n' "$file" "$(stat -Lc '%a %u %F' "$file" 2>/dev/null)" \
        "$(grep -nE 'BEGIN [A-Z ]*PRIVATE KEY|LS0tLS1CRUdJTi' "$file" 2>/dev/null | cut -d: -f1 | tr '\n' ' ')"
done | section files &

# Whether a file that can't be seen is not there, or hidden from this user: its nearest folder that can be seen tells.
missing() {
    folder=$1
    while folder=${folder%/*} && [ -n "$folder" ] && [ ! -d "$folder" ]; do :; done
    [ -x "${folder:-/}" ] && echo absent || echo hidden
}
key_facts() {
    # Only answers and the public half's digest leave this function.
    command -v openssl >/dev/null || { printf '\tno openssl\t\t'; return; }
    kind=$(openssl pkey -in "$1" -passin pass: -noout -text 2>/dev/null | head -n 1)
    openssl rsa -in "$1" -passin pass: -check -noout >/dev/null 2>&1 && consistent=yes || consistent=no
    digest=$({ openssl pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null || openssl pkey -pubin -in "$1" -pubout -outform DER 2>/dev/null; } | sha256sum | cut -c1-64)
    header=$(grep -m1 -oE -- '-----BEGIN [A-Z ]+-----' "$1" 2>/dev/null)
    printf '%s\t%s\t%s\t%s' "$header" "$kind" "$consistent" "$digest"
}
{
    mine M | cut -f 3
    printf '%s\n' "$sources"
} | sort -u | while read -r source; do
    [ -n "$source" ] || continue
    case $source in /var/run/docker.sock | /run/docker.sock | /proc* | /sys*) continue ;; esac
    status=$(stat -Lc '%a	%u	%s	%F' "$source" 2>/dev/null) || status="-	-	-	$(missing "$source")"
    details=
    if [ -f "$source" ] && [ ! -r "$source" ]; then
        details="	unreadable		"
    elif [ -f "$source" ] && [ "$(stat -Lc %s "$source")" -lt 65536 ] && case $source in *.pem | *.key) true ;; *) grep -qs -e '-----BEGIN ' "$source" ;; esac; then
        details=$(key_facts "$source")
    fi
    printf '%s\t%s\t%s\n' "$source" "$status" "$details"
done | section mounts &

# What the images' names stand for now, the size of logs, the dumps.
references=$(printf '%s\n' "$table" | awk -F "$tab" -v own=" $own" '$1 == "R" && index(own, " " $2 " ") { print $6 }' | cut -d' ' -f1 | sort -u)
[ -z "$references" ] || docker image inspect --format '{{.Id}}{{range .RepoTags}} {{.}}{{end}}{{range .RepoDigests}} {{.}}{{end}}' $references 2>/dev/null | section images &
mine L | while IFS=$tab read -r _ id path; do
    total=0
    for file in "$path" "$path".*; do
        [ ! -f "$file" ] || size=$(stat -c %s "$file" 2>/dev/null) && [ -f "$file" ] && total=$((total + size))
    done
    [ ! -f "$path" ] || printf '%s\t%s\n' "$id" "$total"
done | section log-sizes &
if [ -n "$backups" ]; then
    for file in $backups; do [ ! -f "$file" ] || stat -c '%Y	%s	%n' "$file"; done | sort -n | tail -n 3 | section dumps &
fi

for id in $own; do
    docker logs --timestamps --tail "$log_lines" "$id" 2>&1 | scrubbed | tail -c 200000 | section "logs:$id" &
done
wait
printf '%s %s' "$started" "$(date +%s.%N)" | section clock
echo "facts end"
