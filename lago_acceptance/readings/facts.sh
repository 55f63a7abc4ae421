# Everything that is observed on a Docker host, in one go and without changing anything there.
# Variables that precede this text: project, compose, files, env_files, directory, sources, log_lines, mask,
# lago_rb, redis_lua, facts_sql, and the function role_of (roles.py).
# Output: lines "<section> <base64>", interleaved; a line is short enough to be written in one piece.

section() { base64 -w 3000 | sed -u "s|^|$1 |"; }
scrubbed() { awk "$mask"; }
value_of() { docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$1" | sed -n "s/^$2=//p" | head -n 1; }

if ! version=$(docker version --format '{{json .}}' 2>&1); then
    printf '%s' "$version" | section docker-error
    exit 0
fi
printf '%s' "$version" | section version
docker info --format '{{json .}}' 2>/dev/null | section info
date +%s | section clock

containers=$(docker ps -aq --no-trunc)
short='{{.Id}} {{.State.Running}} {{or (index .Config.Labels "com.docker.compose.project") "-"}} {{or (index .Config.Labels "lago-acceptance.role") "-"}} {{.Config.Image}} {{.Path}} {{json .Args}}'
[ -z "$containers" ] || table=$(docker inspect --type container --format "$short" $containers)

scope=$project
members=
while read -r id running owner label image command; do
    [ -n "$id" ] || continue
    role_of "$label" "$image" "$command "
    members="$members$id $running $owner ${role:--}
"
    case $role in
        api | worker | clock | migrate | front)
            case " $scope " in *" $owner "*) ;; *) [ -n "$project" ] || scope="$scope $owner" ;; esac ;;
    esac
done <<END
$table
END

if [ -n "$containers" ]; then
    docker inspect --type container --format '{"id":{{json .Id}},"name":{{json .Name}},"created":{{json .Created}},"path":{{json .Path}},"args":{{json .Args}},"state":{{json .State}},"restarts":{{.RestartCount}},"image_id":{{json .Image}},"image":{{json .Config.Image}},"command":{{json .Config.Cmd}},"entrypoint":{{json .Config.Entrypoint}},"labels":{{json .Config.Labels}},"healthcheck":{{with index .Config "Healthcheck"}}{{json .}}{{else}}null{{end}},"mounts":{{json .Mounts}},"host":{{json .HostConfig}},"networks":{{json .NetworkSettings.Networks}},"ports":{{json .NetworkSettings.Ports}}}' $containers |
        scrubbed | section containers &
fi

own= database= redis=
while read -r id running owner role; do
    case " $scope " in *" $owner "*) [ "$owner" = - ] || own="$own $id" ;; esac
done <<END
$members
END

in_scope() { case " $own " in *" $1 "*) return 0 ;; esac; return 1; }
config() {
    set --
    for file in $files; do set -- "$@" -f "$file"; done
    for file in $env_files; do set -- "$@" --env-file "$file"; done
    $compose ${project:+-p "$project"} ${directory:+--project-directory "$directory"} "$@" config --format json 2>&1 || echo "exit $?"
}
labels_of() { docker inspect --format "{{or (index .Config.Labels \"com.docker.compose.$2\") \"\"}}" "$1" | tr ',' ' '; }
if [ -z "$files" ]; then
    for id in $own; do
        files=$(labels_of "$id" project.config_files)
        env_files=$(labels_of "$id" project.environment_file)
        directory=$(labels_of "$id" project.working_dir)
        project=$(labels_of "$id" project)
        project=${project% }; directory=${directory% }
        [ -z "$files" ] || break
    done
fi
{
    for id in $own; do
        docker inspect --format "{{range .Config.Env}}E{{\"\\t\"}}$id{{\"\\t\"}}{{printf \"%q\" .}}{{\"\\n\"}}{{end}}" "$id"
    done
    [ -z "$files" ] || config | sed 's/^/D	/'
} | awk "$mask" | section environment &

for file in $files $env_files; do
    printf '%s\t%s\t%s\n' "$file" "$(stat -Lc '%a %u %F' "$file" 2>/dev/null)" \
        "$(grep -nE 'BEGIN [A-Z ]*PRIVATE KEY|LS0tLS1CRUdJTi' "$file" 2>/dev/null | cut -d: -f1 | tr '\n' ' ')"
done | section files &

key_facts() {
    # Only answers and the public half's digest leave this function.
    kind=$(openssl pkey -in "$1" -passin pass: -noout -text 2>/dev/null | head -n 1)
    public=$(openssl pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null || openssl pkey -pubin -in "$1" -outform DER -pubout 2>/dev/null) 2>/dev/null
    openssl rsa -in "$1" -passin pass: -check -noout >/dev/null 2>&1 && consistent=yes || consistent=no
    digest=$({ openssl pkey -in "$1" -passin pass: -pubout -outform DER 2>/dev/null || openssl pkey -pubin -in "$1" -pubout -outform DER 2>/dev/null; } | sha256sum | cut -c1-64)
    header=$(grep -m1 -oE -- '-----BEGIN [A-Z ]+-----' "$1" 2>/dev/null)
    printf '%s\t%s\t%s\t%s' "$header" "$kind" "$consistent" "$digest"
}
{
    for id in $own; do
        docker inspect --format '{{range .Mounts}}{{if eq .Type "bind"}}{{println .Source}}{{end}}{{end}}' "$id"
    done
    printf '%s\n' "$sources"
} | sort -u | while read -r source; do
    [ -n "$source" ] || continue
    case $source in /var/run/docker.sock | /run/docker.sock | /proc* | /sys*) continue ;; esac
    status=$(stat -Lc '%a	%u	%s	%F' "$source" 2>/dev/null) || status='-	-	-	absent'
    details=
    if [ -f "$source" ] && [ "$(stat -Lc %s "$source")" -lt 65536 ] && case $source in *.pem | *.key) true ;; *) grep -qs -e '-----BEGIN ' "$source" ;; esac; then
        details=$(key_facts "$source")
    fi
    printf '%s\t%s\t%s\n' "$source" "$status" "$details"
done | section mounts &

df -Pk / "$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)" 2>/dev/null | section disk &
docker network ls --no-trunc --format '{{json .}}' | section networks &
docker volume ls --format '{{json .}}' | section volumes &

while read -r id running owner role; do
    in_scope "$id" || continue
    docker logs --timestamps --tail "$log_lines" "$id" 2>&1 | scrubbed | tail -c 200000 | section "logs:$id" &
    case $role in api | worker | clock | migrate)
        for name in DATABASE_URL REDIS_URL REDIS_PASSWORD LAGO_API_KEY; do
            eval "[ -n \"\${found_$name}\" ]" || eval "found_$name=\$(value_of \"\$id\" $name)"
        done ;;
    esac
done <<END
$members
END

while read -r id running owner role; do
    [ "$running" = true ] || continue
    if [ "$role" = proxy ]; then
        docker exec "$id" sh -c 'for part in routers services; do
            wget -qO- "http://127.0.0.1:8080/api/http/$part" 2>/dev/null || curl -fsS "http://127.0.0.1:8080/api/http/$part" 2>/dev/null || echo null
            echo
        done' 2>/dev/null | scrubbed | section "proxy:$id" &
    fi
    in_scope "$id" || continue
    case $role in
        front)
            docker exec "$id" sh -c 'curl -s -i http://127.0.0.1/env-config.js 2>/dev/null || wget -S -qO- http://127.0.0.1/env-config.js 2>&1' |
                head -c 20000 | section "front:$id" & ;;
        db)
            { printf '\\c %s\n' "'$found_DATABASE_URL'"; printf '%s\n' "$facts_sql"; } |
                docker exec -i "$id" sh -c 'exec psql -X -q -A -t -v ON_ERROR_ROLLBACK=on -U "${POSTGRES_USER:-postgres}" -d "${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"' 2>&1 |
                scrubbed | section "database:$id" & ;;
        redis)
            password=$(printf '%s' "$found_REDIS_URL" | sed -n 's|^[a-z]*://[^:@/]*:\([^@]*\)@.*|\1|p')
            REDISCLI_AUTH=${password:-$found_REDIS_PASSWORD} docker exec -e REDISCLI_AUTH "$id" sh -c \
                '[ -n "$REDISCLI_AUTH" ] || unset REDISCLI_AUTH; answer=$(redis-cli --raw EVAL_RO "$1" 0 2>&1); case $answer in *nknown\ command*) redis-cli --raw EVAL "$1" 0 2>&1 ;; *) printf "%s" "$answer" ;; esac' \
                redis "$redis_lua" 2>&1 | section "redis:$id" & ;;
        api | worker | clock)
            LAGO_API_KEY=$found_LAGO_API_KEY docker exec -e LAGO_API_KEY "$id" ruby -e "$lago_rb" "$role" 2>&1 | scrubbed | section "lago:$id" & ;;
    esac
done <<END
$members
END
wait
