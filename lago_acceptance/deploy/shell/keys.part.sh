# An API key on its way from Lago to the gateway. It goes through pipes and files of this folder only, and is never printed.

digest() { sha256sum | cut -c 1-64; }

# --- in Lago ---

change_create_key() {
    cat /proc/sys/kernel/random/uuid >"$here/created_key"
    asked_key=$(cat "$here/created_key") asked_organization=$(cat "$here/new/organization")
    made=$(rails "$ruby_create_key") || fail "$made"
    printf '%s\n' "$made" >"$here/new/key"
    printf '%s' "$made" | digest
}
undo_create_key() {
    [ -s "$here/created_key" ] || return 0
    asked_key=$(cat "$here/created_key")
    expiry=$(rails "$ruby_revoke_key") || fail "$expiry"
    [ -z "$expiry" ] || say "the new key was revoked"
}
ask_fetch_key() {
    asked_key=$(cat "$here/new/key_id")
    found=$(rails "$ruby_fetch_key") || fail "$found"
    printf '%s\n' "$found" >"$here/new/key"
}
change_revoke_key() {
    asked_key=$(cat "$here/new/old_key_id")
    expiry=$(rails "$ruby_revoke_key") || fail "$expiry"
    printf '%s\n' "${expiry:-revoked}" >"$here/revoked"
}
undo_revoke_key() {
    # Where its expiry was not noted, it had none that anybody set with a purpose.
    asked_key=$(cat "$here/new/old_key_id") asked_expiry=never
    [ ! -s "$here/revoked" ] || asked_expiry=$(cat "$here/revoked")
    [ "$asked_expiry" != revoked ] || return 0
    rails "$ruby_restore_key" || return 1
    say "the old key is valid again"
}

# --- in env files ---

# What Compose reads in a line of an env file.
value_of='function value_of(line, name,   value, quote) {
    sub(/\r$/, "", line)
    sub(/^[ \t]*(export[ \t]+)?/, "", line)
    if (!match(line, /^[A-Za-z_][A-Za-z0-9_]*=/)) return ""
    if (name && substr(line, 1, RLENGTH - 1) != name) return ""
    value = substr(line, RLENGTH + 1)
    quote = substr(value, 1, 1)
    if (quote == "\"" || quote == "\047") {
        value = substr(value, 2)
        if (index(value, quote)) value = substr(value, 1, index(value, quote) - 1)
    } else {
        sub(/[ \t]+#.*$/, "", value)
        sub(/[ \t]+$/, "", value)
    }
    return value
}
function assigns(line, name) {
    sub(/^[ \t]*(export[ \t]+)?/, "", line)
    return index(line, name "=") == 1
}
function assigned(line, value) { return substr(line, 1, index(line, "=")) value }'
# The value of the gateway's variable: what the last line that assigns it says.
written() { # file
    awk -v name="$gateway_variable" "$value_of"' assigns($0, name) { found = value_of($0, name) } END { print found }' "$1"
}
# A key as a value of an env file.
quoted() { # key
    case $1 in
        *\'*) fail "the key has a quotation mark, which an env file can't hold: create another one" ;;
        *[!A-Za-z0-9_.-]*) say "'$1'" ;;
        *) say "$1" ;;
    esac
}
env_file() {
    found=$(readlink -f "$gateway_env_file" || :)
    [ -n "$found" ] && [ -f "$found" ] || fail "there is no file $gateway_env_file here; correct gateway.env_file in settings.toml"
    say "$found"
}
# The old file is kept first, by a name of its own.
replace_file() { # name, file, new content
    mkdir -p "$here/backup"
    cat "$2" >"$here/backup/$1"
    printf '%s\t%s\t%s\n' "$(stat -c %a "$2")" "$(stat -c %u:%g "$2")" "$2" >"$here/backup/$1.place"
    put_whole "$3" "$2" "$(stat -c %a "$2")" "$(stat -c %u:%g "$2")"
}
put_back() { # name
    [ -s "$here/backup/$1.place" ] || return 0
    IFS="$tab" read -r mode owner file <"$here/backup/$1.place"
    rm -f "$(dirname "$file")"/.lago-acceptance.??????
    cmp -s "$here/backup/$1" "$file" || put_whole "$here/backup/$1" "$file" "$mode" "$owner"
}
change_give_key() {
    file=$(env_file) || fail "$file"
    key=$(cat "$here/new/key")
    [ "$(written "$file")" != "$key" ] || return 0
    key=$(quoted "$key") || fail "$key"
    printf '%s\n' "$key" >"$here/new/quoted"
    awk -v name="$gateway_variable" "$value_of"'
        NR == FNR { key = $0; next }
        assigns($0, name) { print assigned($0, key); given = 1; next }
        { print }
        END { if (!given) print name "=" key }' "$here/new/quoted" "$file" >"$here/new/gateway.env"
    replace_file gateway.env "$file" "$here/new/gateway.env"
}
undo_give_key() { put_back gateway.env; }
# Lago seeds the key of its own variables at each start of migrate. A revoked one it does not find, makes another, and fails to
# give that the same value (docs/lago-facts.md, section 1.5).
change_seed_key() {
    gateways=$(env_file) || fail "$gateways"
    now=$(written "$gateways")
    written "$(kept_file "$now")" >"$here/new/old"
    now=$(quoted "$now") || fail "$now"
    compose_file=$directory/$deployment_compose_file file=$(readlink -f "$directory/$deployment_env_file" || :)
    if [ -f "$compose_file" ] && grep -qFf "$here/new/old" "$compose_file"; then
        fail "$compose_file has the old key in it, and Lago's migrations would fail on it once it is revoked: write the new one there first"
    fi
    [ -n "$file" ] && [ -f "$file" ] || return 0
    printf '%s\n' "$now" >>"$here/new/old"
    awk "$value_of"'
        NR == FNR { if (FNR == 1) old = $0; else key = $0; next }
        value_of($0) == old { print assigned($0, key); next }
        { print }' "$here/new/old" "$file" >"$here/new/deployment.env"
    ! cmp -s "$here/new/deployment.env" "$file" || return 0
    replace_file deployment.env "$file" "$here/new/deployment.env"
    say "$file"
}
undo_seed_key() { put_back deployment.env; }
# The newest file that was kept with another key than now; of this rotation, or of an earlier one.
kept_file() { # the key now
    kept=
    for each in "$directory"/.lago-acceptance/keys/*/backup/gateway.env "${here:-/nowhere}/backup/gateway.env"; do
        [ ! -f "$each" ] || [ "$(written "$each")" = "$1" ] || kept=$each
    done
    [ -z "$kept" ] || say "$kept"
}

# --- in the gateway's container ---

gateway_now() {
    if [ -n "$gateway_container" ]; then
        docker ps -q --no-trunc --filter "name=^/?$gateway_container\$"
    else
        docker ps -q --no-trunc --filter "label=com.docker.compose.project=$gateway_project" --filter "label=com.docker.compose.service=$gateway_service" \
            --filter label=com.docker.compose.oneoff=False
    fi | head -n 1
}
label() { docker inspect -f "{{index .Config.Labels \"$2\"}}" "$1"; }
gateway_name() { say "${gateway_container:-$gateway_service of the project $gateway_project}"; }
running_gateway() {
    found=$(gateway_now)
    [ -n "$found" ] || fail "the gateway ($(gateway_name)) does not run"
    say "$found"
}
# `docker restart` starts a container with the variables that it was made with; only a new one reads its env file.
change_restart_gateway() {
    container=$(running_gateway) || fail "$container"
    service=$(label "$container" com.docker.compose.service)
    if [ -z "$service" ]; then
        swarm=$(label "$container" com.docker.swarm.service.name)
        [ -z "$swarm" ] || fail "the gateway is a task of the swarm service $swarm, which reads no env file once it is made: docker service update --env-add"
        fail "$gateway_container was not made by Compose, and docker restart would start it with the old key: recreate it the way it was made"
    fi
    compose_gateway "$container" "$service" || fail "Compose could not recreate the gateway's container"
    wait_for 120 gateway_up || fail "the gateway does not come up again: docker logs $(docker ps -a --filter "label=com.docker.compose.project=$(cat "$here/gateway_project")" --filter "label=com.docker.compose.service=$service" --format '{{.Names}}' | head -n 1)"
}
undo_restart_gateway() {
    undo_give_key
    container=$(gateway_now)
    [ -n "$container" ] || container=$(cat "$here/gateway_id" 2>/dev/null) || return 0
    [ -s "$here/gateway_words" ] || return 0
    up_again && wait_for 120 gateway_up || fail "the gateway does not come up again with the old key; in its folder: docker compose up -d"
    say "the gateway runs with the old key again"
}
compose_gateway() { # container, service
    label "$1" com.docker.compose.project >"$here/gateway_project"
    label "$1" com.docker.compose.project.working_dir >"$here/gateway_directory"
    label "$1" com.docker.compose.project.config_files | tr ',' '\n' | sed 's/^/-f\
/' >"$here/gateway_words"
    label "$1" com.docker.compose.project.environment_file | tr ',' '\n' | sed '/^$/d; s/^/--env-file\
/' >>"$here/gateway_words"
    printf '%s\n' up -d --no-deps --pull never "$2" >>"$here/gateway_words"
    printf '%s\n' "$1" >"$here/gateway_id"
    up_again
}
up_again() {
    (
        project=$(cat "$here/gateway_project") directory=$(cat "$here/gateway_directory") folder=
        set --
        while IFS= read -r word; do set -- "$@" "$word"; done <"$here/gateway_words"
        compose "$@"
    )
}
gateway_up() {
    container=$(gateway_now)
    [ -n "$container" ] || return 1
    case $(docker inspect -f '{{.State.Status}} {{with index .State "Health"}}{{.Status}}{{else}}healthy{{end}}' "$container") in
        "running healthy") ;;
        *) return 1 ;;
    esac
}

# --- whether Lago takes it ---

# What Lago answers to a key: a status, "nothing" without one. Asked where the gateway asks, if something there can.
status_of() { # key
    container=$(gateway_now) url=
    [ -z "$gateway_url_variable" ] || [ -z "$container" ] || url=$(variable "$container" "$gateway_url_variable")
    case $url in http://* | https://*) url=${url%/} url=${url%/api/v1} ;; *) url= ;; esac
    if [ -n "$url" ] && docker exec "$container" sh -c 'command -v curl' >/dev/null 2>&1; then
        status=$(curl_config "$1" "$url" | docker exec -i "$container" curl -s -o /dev/null --max-time 20 -w '%{http_code}' -K -) || :
    elif [ -n "$url" ] && docker exec "$container" sh -c 'command -v python3' >/dev/null 2>&1; then
        status=$(printf '%s/api/v1/organizations\n%s\n' "$url" "$1" | docker exec -i "$container" python3 -c '
import sys, urllib.error, urllib.request
url, key = sys.stdin.read().splitlines()
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given):
        return None
try:
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + key})
    print(urllib.request.build_opener(Stay).open(request, timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
' 2>/dev/null) || :
    else
        url=http://127.0.0.1:3000
        status=$(curl_config "$1" "$url" | docker exec -i "$api_container" curl -s -o /dev/null --max-time 20 -w '%{http_code}' -K -) || :
    fi
    case $status in '' | 000) status=nothing ;; esac
    say "$status"
}
curl_config() { # key, url
    printf 'header = "Authorization: Bearer %s"\nurl = "%s/api/v1/organizations"\n' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')" "$2"
}
# Whether Lago takes the key of new/key.
ask_accepted() {
    status=$(status_of "$(cat "$here/new/key")")
    [ "$status" = 200 ] || fail "Lago answers $status to it"
}
# Whether the gateway runs with the key of its file, and Lago takes that key from there.
ask_used() {
    container=$(running_gateway) || fail "$container"
    file=$(env_file) || fail "$file"
    is=$(variable "$container" "$gateway_variable")
    [ -n "$is" ] || fail "the gateway's container has no variable $gateway_variable: let its compose file read $file (env_file)"
    [ "$is" = "$(written "$file")" ] || fail "the gateway runs with another $gateway_variable than $file has"
    status=$(status_of "$is")
    [ "$status" = 200 ] || fail "Lago answers $status to the gateway's key"
}
# Whether Lago refuses the old key by now, and still takes the gateway's.
ask_replaced() {
    file=$(env_file) || fail "$file"
    now=$(written "$file")
    status=$(status_of "$(written "$(kept_file "$now")")")
    [ "$status" = 401 ] || fail "Lago still answers $status to the old key"
    status=$(status_of "$now")
    [ "$status" = 200 ] || fail "Lago answers $status to the new key"
}
# Digests of the key in the gateway's file, in its container, and of the one before; "-" where there is none.
ask_gateway() {
    file=$(env_file) || fail "$file"
    now=$(written "$file")
    container=$(gateway_now) old=$(kept_file "$now")
    digest_of file "$now"
    digest_of container "$([ -z "$container" ] || variable "$container" "$gateway_variable")"
    digest_of before "$([ -z "$old" ] || written "$old")"
}
digest_of() { # name, value
    if [ -n "$2" ]; then printf '%s\t%s\n' "$1" "$(printf '%s' "$2" | digest)"; else printf '%s\t-\n' "$1"; fi
}
