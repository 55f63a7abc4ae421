# Restores a dump into a project of its own: own volume, a network without a way out, no port, no clock, and a worker only where
# walk.part.sh fills data in. So nothing is billed twice, and no mail or webhook leaves. What runs in production is read, never
# changed.
# Variables beside those of a deploy: dump, db_image, redis_image, lago_image, running_api and production (a container and a
# project to take the configuration from, or ""), lago_environment and lago_mounts (the same where nothing runs).

# --- before anything is started ---

ask_dump() {
    [ -f "$dump" ] || fail "there is no file $dump"
    [ -s "$dump" ] || fail "the dump is empty"
    case $(head -c 5 "$dump" | base64) in
        UEdETVA=) ;;
        *) fail "the dump is not in PostgreSQL's custom format (a plain SQL or compressed one is not read); make one with pg_dump -Fc" ;;
    esac
    postgres_tool pg_restore -l <"$dump" >"$here/contents" 2>"$here/said" || fail "$(dump_trouble)"
    grep -q 'TABLE DATA .* schema_migrations' "$here/contents" || fail "the dump holds no schema_migrations: it is not one of Lago's database"
    sed -n 's/^; *Archive created at \(.*\)/made\t\1/p; s/^; *dbname: \(.*\)/name\t\1/p; s/^; *Dumped from database version: \([0-9.]*\).*/version\t\1/p' "$here/contents"
    say "size$tab$(wc -c <"$dump" | tr -d ' ')"
    say "age$tab$(($(date +%s) - $(stat -c %Y "$dump")))"
}
postgres_tool() { docker run --rm -i --network none --entrypoint "$1" "$db_image" "$2"; }
dump_trouble() {
    said=$(grep -v '^$' "$here/said" | grep -m 1 -i -E 'error|fatal' || tail -n 1 "$here/said")
    case $(cat "$here/said") in
        *"unsupported version"* | *"unrecognized configuration parameter"*) say "the dump was made by a newer PostgreSQL than $db_image is: ${said#pg_restore: }" ;;
        *"end of file"* | *"could not read"*) say "the dump is cut off: ${said#pg_restore: }; copy it again, or take an older one" ;;
        *"is not available"* | *"could not open extension control file"*) say "$db_image lacks an extension that the dump needs: ${said#pg_restore: }" ;;
        *) say "PostgreSQL can't restore the dump: ${said#pg_restore: }" ;;
    esac
}
# Bytes: free for Docker's volumes, and available memory.
ask_room() {
    place=$(docker info -f '{{.DockerRootDir}}' 2>/dev/null)
    [ -d "$place" ] || place=$here
    say "$(free_bytes "$place") $(awk '$1 == "MemAvailable:" { printf "%.0f", $2 * 1024 }' /proc/meminfo)"
}
# Gets the image that was asked for, where this host does not have it.
ask_image() {
    docker image inspect "$lago_image" >/dev/null 2>&1 || docker pull -q "$lago_image"
}
# What runs in production, and since when: it must be the same afterwards.
ask_production() {
    [ -n "$production" ] || return 0
    docker ps -q --no-trunc --filter "label=com.docker.compose.project=$production" | while read -r container; do
        docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{.Id}} {{.State.StartedAt}}' "$container"
    done | sort
}

# --- what Lago is given ---

# The running API's variables, without those of its image, which another image has too.
running_environment() {
    docker image inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$(docker inspect -f '{{.Image}}' "$running_api")" | sed '/^$/d' >"$here/image.env"
    docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$running_api" | grep -vxF -f "$here/image.env"
}
running_mounts() {
    docker inspect -f '{{range .Mounts}}{{if eq .Type "bind"}}{{printf "%s\t%s\n" .Source .Destination}}{{end}}{{end}}' "$running_api" | sed '/^$/d'
}
# Every URL of a database or a Redis becomes that of the rehearsal, so that nothing can reach production's. What leads to mail,
# storage, payment and other services elsewhere is left out, and all queues are one worker's.
change_configuration() {
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf 'POSTGRES_USER=lago\nPOSTGRES_DB=lago\nPOSTGRES_PASSWORD=%s\n' "$password" >"$here/db.env"
    {
        printf 's#^\\([A-Za-z0-9_]*\\)=postgres[a-z]*://.*#\\1=postgresql://lago:%s@rehearsal-db:5432/lago#\n' "$password"
        printf '%s\n' 's#^\([A-Za-z0-9_]*\)=rediss\{0,1\}://[^/]*\(/[0-9]*\)\{0,1\}.*#\1=redis://rehearsal-redis:6379\2#' \
            '/^[A-Za-z0-9_]*REDIS[A-Za-z0-9_]*PASSWORD=/d' '/^LAGO_CREATE_ORG=/d' '/^LAGO_ORG_/d' '/^LAGO_API_KEY=/d' '/^LAGO_CLICKHOUSE/d' '/^LAGO_KAFKA/d' \
            '/^LAGO_SMTP_/d' '/^LAGO_\(USE_\)\{0,1\}\(AWS\|GCS\)/d' '/^LAGO_LICENSE/d' '/^LAGO_\(PDF\|DATA_API\|MEILISEARCH\|OAUTH_PROXY\|FINANCE_ASSISTANT\|MCP_SERVER\)_URL=/d' \
            '/^\(STRIPE\|GOCARDLESS\|NANGO\|GOOGLE\|MISTRAL\|SEGMENT\|SENTRY\|SUPERSET\|NEW_RELIC\|OTEL\|DD\)_/d' '/^SIDEKIQ_[A-Z_]*=true$/d' \
            '/^[A-Za-z]*_[Pp][Rr][Oo][Xx][Yy]=/d'
    } >"$here/stores.sed"
    if [ -n "$running_api" ]; then
        running_environment >"$here/given.env"
        running_mounts >"$here/mounts"
    else
        printf '%s\n' "$lago_environment" >"$here/given.env"
        printf '%s\n' "$lago_mounts" >"$here/mounts"
    fi
    grep '^[A-Za-z_][A-Za-z0-9_]*=' "$here/given.env" | sed -f "$here/stores.sed" >"$here/lago.env"
    printf 'LAGO_DISABLE_SEGMENT=true\n' >>"$here/lago.env"
    rm -f "$here/given.env" "$here/stores.sed"
    grep -q '^DATABASE_URL=' "$here/lago.env" || fail "Lago's configuration has no DATABASE_URL"
}

# --- containers ---

# Names are asked of the container itself, where nobody answers, and soon given up: what Docker forwards to a resolver would leave
# the internal network, and Docker removes no container before its questions have timed out there.
apart() { # service, role, memory, then the words of docker run
    service=$1 role=$2 memory=$3
    shift 3
    docker run --network "$project" --dns 0.0.0.0 --dns-opt timeout:1 --dns-opt attempts:2 --name "$project-$service-1" --memory "$memory" --restart no --log-driver json-file \
        --label "com.docker.compose.project=$project" --label "com.docker.compose.service=$service" \
        --label com.docker.compose.oneoff=False --label "lago-acceptance.role=$role" --label traefik.enable=false "$@"
}
lago_apart() { # service, role, memory, --detach=true or false, then the command
    service=$1 role=$2 memory=$3 how=$4
    shift 4
    set -- "$lago_image" "$@"
    while IFS="$tab" read -r source target; do
        [ -z "$source" ] || set -- --mount "type=bind,source=$source,target=$target,readonly" "$@"
    done <"$here/mounts"
    apart "$service" "$role" "$memory" "$how" --env-file "$here/lago.env" "$@"
}
rehearsed_database_answers() {
    [ -n "$(db_container)" ] || fail "$db_image ended: $(docker logs --tail 1 "$project-$db_service-1" 2>&1)"
    database_answers
}
change_rehearse_restore() {
    change_configuration
    # Without an address on the bridge the host is out of reach too, and with it what production publishes there.
    docker network create --internal --opt com.docker.network.bridge.inhibit_ipv4=true --label "com.docker.compose.project=$project" "$project" >/dev/null
    docker volume create --label "com.docker.compose.project=$project" "$project-db" >/dev/null
    apart "$db_service" db 1g -d --network-alias rehearsal-db --env-file "$here/db.env" -v "$project-db:/var/lib/postgresql/data" "$db_image" >/dev/null
    rm -f "$here/db.env"
    apart "$redis_service" redis 256m -d --network-alias rehearsal-redis "$redis_image" redis-server --maxmemory-policy noeviction >/dev/null
    wait_for 120 rehearsed_database_answers || fail "PostgreSQL did not start: $(docker logs --tail 1 "$(db_container)" 2>&1)"
    # Only a file can be read by two processes at once. The roles of another cluster are not here.
    docker exec -i "$(db_container)" sh -c 'cat >/tmp/dump && pg_restore --jobs 2 --exit-on-error --no-owner --no-privileges -U lago -d lago /tmp/dump && rm /tmp/dump' \
        <"$dump" 2>"$here/said" || fail "$(dump_trouble)"
    printf 'ANALYZE;' | psql_in "$(db_container)" lago
    identity "$(db_container)" lago
}
undo_rehearse_restore() {
    docker ps -aq --filter "label=com.docker.compose.project=$project" | xargs -r docker rm -fv >/dev/null
    docker volume ls -q --filter "label=com.docker.compose.project=$project" | xargs -r docker volume rm -f >/dev/null
    docker network ls -q --filter "label=com.docker.compose.project=$project" | xargs -r docker network rm >/dev/null
    rm -f "$here"/*.env "$here/stores.sed" "$here/mounts"
    [ -z "$(docker ps -aq --filter "label=com.docker.compose.project=$project")" ] || fail "containers of $project could not be removed"
}
# One process, so that its exit code is the truth; no seeding, which would add an organization.
change_rehearse_migrate() {
    lago_apart lago-migrate migrate 1g --detach=false bundle exec rails db:migrate ${migrate_to:+"VERSION=$migrate_to"} >"$here/migration" 2>&1 || fail "$(migration_trouble)"
    identity "$(db_container)" lago
}
migration_trouble() {
    tail -n 12 "$here/migration"
    grep -m 1 'PG::' "$here/migration" || grep -m 1 -E 'Error|ERROR|annot' "$here/migration" || tail -n 1 "$here/migration"
}
undo_rehearse_migrate() { :; }
# With a key of the restored data, as production's API has one: checks ask with it from inside.
change_rehearse_start() {
    start_rehearsed_api
    await_rehearsed_api
}
start_rehearsed_api() {
    key=$(restored_key)
    [ -n "$key" ] || fail "the restored database holds no valid API key, so nobody could use it"
    grep -q '^LAGO_API_KEY=' "$here/lago.env" || printf 'LAGO_API_KEY=%s\n' "$key" >>"$here/lago.env"
    lago_apart "$api_service" api 1536m --detach=true ./scripts/start.api.sh >/dev/null
}
await_rehearsed_api() {
    wait_for 240 rehearsed_api_answers || fail "the API did not answer /health within 240 s: $(docker logs --tail 1 "$(running_of "$api_service")" 2>&1)"
}
rehearsed_api_answers() {
    container=$(running_of "$api_service")
    [ -n "$container" ] || fail "the API ended: $(docker logs --tail 1 "$project-$api_service-1" 2>&1)"
    docker exec "$container" curl -fsS -o /dev/null --max-time 5 http://127.0.0.1:3000/health 2>/dev/null
}
restored_key() { keys "$(db_container)" | head -n 1; }
undo_rehearse_start() { :; }

# --- questions to the restored Lago ---

# Lines of page, status, what the API counts, what the database holds ("" where the API counts otherwise).
ask_pages() {
    key=$(restored_key)
    for page in organizations customers plans subscriptions invoices; do
        answer=$(printf 'header = "Authorization: Bearer %s"\n' "$key" | docker exec -i "$(running_of "$api_service")" \
            curl -s --max-time 60 -w '\n%{http_code}' -K - "http://127.0.0.1:3000/api/v1/$page?per_page=1") || :
        status=$(printf '%s\n' "$answer" | tail -n 1)
        counted=$(printf '%s\n' "$answer" | sed -n 's/.*"total_count": *\([0-9]*\).*/\1/p' | tail -n 1)
        held=
        case $page in customers | plans) held=$(held "$page") ;; esac
        say "$page$tab$status$tab$counted$tab$held"
    done
}
# What the first key's organization has and has not deleted; plans without those that override another.
held() { # table
    psql_in "$(db_container)" lago <<END
SELECT CASE WHEN to_regclass('api_keys') IS NULL THEN 'SELECT id AS organization FROM organizations LIMIT 1'
    ELSE 'SELECT organization_id AS organization FROM api_keys WHERE expires_at IS NULL OR expires_at > now() ORDER BY created_at LIMIT 1' END AS question
\gset
:question
\gset
SELECT count(*) FROM $1 AS each WHERE organization_id = :'organization'
    AND to_jsonb(each) ->> 'deleted_at' IS NULL AND to_jsonb(each) ->> 'parent_id' IS NULL;
END
}
