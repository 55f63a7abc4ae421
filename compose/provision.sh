#!/bin/sh
# Makes .env.lago and the RSA key of a deployment in a folder, both with mode 600.
#
#   sh provision.sh [OPTION...] [FOLDER]     FOLDER: the deployment's, by default this script's own
#
#   --key-from FILE    take the RSA key from FILE: a PEM, base64 of one, an env file or a compose file
#   --new-key          generate a new RSA key although an old one is or was in use
#   --shipped FOLDER   where .env.lago.example is, by default this script's folder, else FOLDER
#
# The old key. Webhook receivers verify signatures with its public half, so an old key is kept. The script looks for it in
# the key file, in the deployment's containers, in .env.lago and .env, and in the folder's compose files; as base64 of a
# PEM or of DER, or as a PEM, on one line or several, quoted or not. If there are two different keys, or one that can't be
# used, it stops before it writes anything. Other *.pem files, keys in comments and PEMs under other names are only listed.
#
# In use. A key is or was in use if a container of this folder or project exists, if Docker has a database volume of the
# project, or if a variable contains more than a placeholder or an unexpanded ${...} or $(...). The project name comes
# from the compose files, from COMPOSE_PROJECT_NAME, or from the folder. A new key is generated only if none of this is
# found, and so are the other secrets. Otherwise, missing secrets are looked up in the containers, under wrong names, in
# .env and in the compose files, and the script lists those that can't be found.
#
# If .env.lago has to change, the old one is kept as .env.lago.before-TIME. The exit code is 0, 1 if the key or a secret
# can't be settled, 4 for wrong options or files, 6 if a program is missing or Docker does not answer. Values are never
# printed.
set -euf
umask 077
LC_ALL=C
export LC_ALL
newline='
'
tab=$(printf '\t')

say() { printf 'provision: %s\n' "$1" >&2; }
refuse() {
    say "$2"
    exit "$1"
}

key_from='' new_key='' shipped='' folder=''
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            sed -n '2,/^set /s/^# \{0,1\}//p' "$0" 2>/dev/null || say "see the top of provision.sh"
            exit 0
            ;;
        --new-key) new_key=yes ;;
        --key-from | --shipped)
            [ $# -gt 1 ] && [ -n "$2" ] || refuse 4 "$1 needs a value; see the top of provision.sh"
            if [ "$1" = --shipped ]; then shipped=$2; else key_from=$2; fi
            shift
            ;;
        -*) refuse 4 "there is no option $1; use --key-from FILE, --new-key or --shipped FOLDER" ;;
        *)
            [ -n "$1" ] || refuse 4 "the folder's name is empty; name the deployment's folder"
            [ -z "$folder" ] || refuse 4 "one folder at a time, but $folder and $1 were given"
            folder=$1
            ;;
    esac
    shift
done
[ -z "$key_from" ] || [ -z "$new_key" ] || refuse 4 "--key-from and --new-key exclude each other; give one of them"
own=.
[ ! -f "$0" ] || own=$(dirname -- "$0")
[ -n "$folder" ] || folder=$own
for program in awk openssl mktemp; do
    command -v "$program" >/dev/null || refuse 6 "$program is missing; install it and run this again"
done
[ -d "$folder" ] || refuse 4 "$folder is not a folder; make it first: mkdir -m 700 $folder"
folder=$(cd -- "$folder" && pwd -P) || refuse 4 "$folder can't be entered by this user; run this as root"
env_file=$folder/.env.lago

# --- reading: records of place, first line, last line, kind, name and value, with tabs between them ---
# Kinds: v a variable, c a key in a comment, p a private key under no name. In values, \036 is a line break.

is_key_awk='
function is_key(name) {
    return name ~ /^((LAGO_|RAILS_|APP_|API_)?RSA_(PRIVATE_)?KEY|LAGO_PRIVATE_KEY)(_BASE64|_B64|_PEM)?$/
}
'
common_awk=$is_key_awk'
function emit(kind, name, value, first, last) {
    gsub(/\t/, " ", value); gsub(/\n/, "\036", value)
    printf "%s\t%d\t%d\t%s\t%s\t%s\n", place, first, last, kind, name, value
}
# Where the closing quote is, 0 if there is none. q2: inside single quotes of YAML, two of them are one.
function closing(text, quote, q2,    at, each) {
    for (at = 1; at <= length(text); at++) {
        each = substr(text, at, 1)
        if (each == "\\" && quote == "\"") at++
        else if (each == quote && q2 && quote == "\047" && substr(text, at + 1, 1) == quote) at++
        else if (each == quote) return at
    }
    return 0
}
function trimmed(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }
function indent(text) { match(text, /^[ \t]*/); return RLENGTH }
# A quoted value that begins in "body" of line i; sets "value", "after" and i. 0 if the quote is never closed.
function quoted(body, quote, q2,    j, at) {
    j = i
    while (!(at = closing(body, quote, q2)) && j < count) body = body "\n" line[++j]
    if (!at) return 0
    value = substr(body, 1, at - 1); after = substr(body, at + 1); i = j
    return 1
}
# The lines of a PEM without quotes, from line i on.
function rest_of_pem() {
    while (value !~ /-----END [A-Z ]*-----/ && i < count && line[i + 1] !~ /^[ \t]*[A-Z_]+=/) value = value "\n" line[++i]
}
{ sub(/\r$/, ""); if (NR == 1) sub(/^\357\273\277/, ""); line[NR] = $0; count = NR }
'
env_awk=$common_awk'
END {
    for (i = 1; i <= count; i++) {
        text = line[i]; first = i; kind = "v"
        if (sub(/^[ \t]*#[# \t]*/, "", text)) kind = "c"
        sub(/^[ \t]*(export[ \t]+)?/, "", text)
        if (!match(text, /^[A-Za-z_][A-Za-z0-9_.]*[ \t]*=/)) continue
        name = trimmed(substr(text, 1, RLENGTH - 1)); value = trimmed(substr(text, RLENGTH + 1))
        if (kind == "c") { if (is_key(name) && value != "") emit(kind, name, value, first, i); continue }
        quote = substr(value, 1, 1)
        if (quote == "\"" || quote == "\047") {
            if (!quoted(substr(value, 2), quote, 0)) { value = substr(value, 2); if (is_key(name)) rest_of_pem() }
        } else if (value ~ /-----BEGIN /) rest_of_pem()
        else if (is_key(name)) {
            while (value ~ /\\$/ && i < count) { sub(/\\$/, "", value); value = value trimmed(line[++i]) }
            sub(/[ \t]+#.*$/, "", value)
            # Base64 that was wrapped without quotes goes on below its variable.
            if (value ~ /^[A-Za-z0-9+\/]+$/ && length(value) % 4 == 0 && length(value) > 40)
                while (i < count && value !~ /=$/ && line[i + 1] ~ /^[ \t]*[A-Za-z0-9+\/]+=?=?[ \t]*$/) value = value trimmed(line[++i])
        } else { sub(/[ \t]+#.*$/, "", value); if (value ~ /^#/) value = "" }
        emit(kind, name, value, first, i)
    }
}
'
yaml_awk=$common_awk'
# The lines below line i that are indented further than "than".
function below(than,    text) {
    text = ""
    while (i < count && (line[i + 1] ~ /^[ \t]*$/ || indent(line[i + 1]) > than)) text = text "\n" trimmed(line[++i])
    return text
}
function plain_below(than) {
    while (i < count && indent(line[i + 1]) > than && line[i + 1] !~ /^[ \t]*(-[ \t]|#|["\047]?[A-Za-z_][A-Za-z0-9_.-]*["\047]?:([ \t]|$))/)
        value = value "\n" trimmed(line[++i])
}
END {
    for (i = 1; i <= count; i++) {
        text = line[i]; first = i; kind = "v"; seen = 0
        if (sub(/^[ \t]*#[# \t]*/, "", text)) kind = "c"
        before = ""
        while (match(text, /[A-Z][A-Z0-9_]+["\047]?[ \t]*[:=]/)) {
            if (RSTART > 1) before = substr(text, RSTART - 1, 1)
            led = substr(text, 1, RSTART - 1)
            name = substr(text, RSTART, RLENGTH - 1); separator = substr(text, RSTART + RLENGTH - 1, 1)
            value = substr(text, RSTART + RLENGTH); text = value
            item = substr(line[i], 1, length(line[i]) - length(value)) ~ /^[ \t]*-[ \t]+["\047]?[A-Z0-9_]+=$/
            sub(/["\047]?[ \t]*$/, "", name)
            if (before ~ /[A-Za-z0-9_$.-]/ || (separator == ":" && value !~ /^([ \t]|$)/)) { before = ":"; continue }
            value = trimmed(value); flow = led ~ /[{,][ \t"\047]*$/; before = ":"
            sub(/^([&!][^ \t]+[ \t]+)+/, "", value)
            if (kind == "c") { if (is_key(name) && value != "") emit(kind, name, value, first, i); break }
            quote = substr(value, 1, 1); outer = ""
            if (item) { outer = line[i]; sub(/^[ \t]*-[ \t]+/, "", outer); outer = substr(outer, 1, 1) }
            after = ""
            if (outer == "\"" || outer == "\047") { if (!quoted(value, outer, 1)) rest_of_pem() }
            else if (quote == "\"" || quote == "\047") { if (!quoted(substr(value, 2), quote, 1)) rest_of_pem() }
            else if (separator == ":" && value ~ /^[|>][-+0-9]*[ \t]*(#.*)?$/) value = below(indent(line[first]))
            else if (flow) { if (match(value, /[,}]/)) { after = substr(value, RSTART); value = trimmed(substr(value, 1, RSTART - 1)) } }
            else if (separator == ":" || item) {
                sub(/(^|[ \t]+)#.*$/, "", value)
                if (value != "" || (is_key(name) && line[i + 1] ~ /^[ \t]*[^ \t:]*(-----BEGIN [A-Z ]+-----)?[^:]*$/)) plain_below(indent(line[first]))
            } else if (value !~ /^\$/) { if (match(value, /[ ;&|"\047]/) && value !~ /-----BEGIN /) value = substr(value, 1, RSTART - 1) }
            if (match(value, /^\$\{[A-Za-z_]+:?-/)) { value = substr(value, RLENGTH + 1); sub(/\}$/, "", value) }
            if (value !~ /(^|[^$])\$[A-Za-z_{(]/) gsub(/\$\$/, "$", value)
            emit(kind, name, value, first, i)
            if (is_key(name)) seen = 1
            text = after
        }
        if (kind == "v" && !seen && i == first && line[i] ~ /-----BEGIN [A-Z ]*PRIVATE KEY-----/) {
            value = line[i]; rest_of_pem(); emit("p", "", value, first, i)
        }
    }
}
'
# What docker inspect printed: an environment of JSON strings, and mounts.
inspect_awk='
function text_of(json,    out, at, each) {
    out = ""
    for (at = 2; at < length(json); at++) {
        each = substr(json, at, 1)
        if (each != "\\") { out = out each; continue }
        each = substr(json, ++at, 1)
        if (each == "n") out = out "\036"
        else if (each == "t") out = out " "
        else if (each == "r") continue
        else if (each == "u") { each = tolower(substr(json, at + 1, 4)); at += 4
            out = out (each == "003c" ? "<" : each == "003e" ? ">" : each == "0026" ? "&" : "?") }
        else out = out each
    }
    return out
}
BEGIN { FS = "\t" }
$1 == "E" {
    text = text_of($3); at = index(text, "=")
    printf "container %s\t0\t0\tv\t%s\t%s\n", substr($2, 2), substr(text, 1, at - 1), substr(text, at + 1)
}
$1 == "M" && ($3 == "/run/lago/rsa_private.pem" || $3 == "/app/config/keys/private.pem") {
    printf "%s (mounted into %s)\t0\t0\tm\t\t%s\n", $4, substr($2, 2), $4
}
'

# Records of a file that is there.
records_of() { # KIND FILE PLACE
    [ -e "$2" ] || return 0
    [ -f "$2" ] || refuse 4 "$2 is not a regular file; move it away and run this again"
    [ -r "$2" ] || refuse 4 "$2 can't be read by this user; run this as root"
    if [ "$1" = env ]; then awk -v place="$3" "$env_awk" "$2"; else awk -v place="$3" "$yaml_awk" "$2"; fi
}

compose_files=''
set +f
for file in "$folder"/docker-compose*.yml "$folder"/docker-compose*.yaml "$folder"/compose*.yml "$folder"/compose*.yaml; do
    [ ! -e "$file" ] || compose_files=$compose_files$file$newline
done
pem_files=''
for file in "$folder"/*.pem; do [ ! -f "$file" ] || pem_files=$pem_files$file$newline; done
set -f
IFS=$newline
records=$(records_of env "$env_file" .env.lago)
old_env=$(records_of env "$folder/.env" .env)
records="$records$newline$old_env"
for file in $compose_files; do
    found=$(records_of compose "$file" "${file##*/}")
    records="$records$newline$found"
done

# --- the deployment's containers and volumes ---

# An answer within 20 seconds where the host can count them.
asked_docker() {
    if command -v timeout >/dev/null; then timeout 20 docker "$@" </dev/null 2>/dev/null; else docker "$@" </dev/null 2>/dev/null; fi
}
value_in() { # PLACE NAME: the last value of a variable there
    printf '%s\n' "$records" |
        awk -F '\t' -v place="$1" -v name="$2" '$1 == place && $4 == "v" && $5 == name { v = $6 } END { print v }'
}

used='' containers_seen=''
if command -v docker >/dev/null; then
    projects=$(value_in .env.lago COMPOSE_PROJECT_NAME)$newline$(value_in .env COMPOSE_PROJECT_NAME)
    for file in $compose_files; do
        named=$(sed -n "s/^name:[ $tab]*[\"']\{0,1\}\([a-z0-9_-]*\).*/\1/p" "$file")
        projects=$projects$newline$named
    done
    if [ -n "$compose_files" ] || [ -e "$env_file" ] || [ -e "$folder/.env" ]; then
        projects=$projects$newline$(printf '%s' "${folder##*/}" | tr 'A-Z' 'a-z' | tr -cd 'a-z0-9_-' | sed 's/^[_-]*//')
        asked_docker version --format '{{.Server.Version}}' >/dev/null ||
            refuse 6 "Docker does not answer, so it is not known whether a Lago runs or ran here; start it (systemctl start docker) or run this as root"
    fi
    ids=$(asked_docker ps -aq --filter "label=com.docker.compose.project.working_dir=$folder") || ids=''
    projects=$(printf '%s\n' "$projects" | sort -u | sed '/^$/d')
    [ -z "$projects" ] || volumes=$(asked_docker volume ls --format '{{.Name}}') || volumes=''
    for project in $projects; do
        more=$(asked_docker ps -aq --filter "label=com.docker.compose.project=$project") || more=''
        ids=$ids$newline$more
        for volume in $volumes; do
            case $volume in
                lago-db-data | "$project"_*db* | "$project"_*postgres* | "$project"_*pg*) used="volume $volume" ;;
            esac
        done
    done
    ids=$(printf '%s\n' "$ids" | sort -u | sed '/^$/d')
    if [ -n "$ids" ]; then
        # shellcheck disable=SC2086 # one word for each line
        inspected=$(asked_docker inspect --format '{{range .Config.Env}}E{{"\t"}}{{$.Name}}{{"\t"}}{{json .}}{{"\n"}}{{end}}{{range .Mounts}}M{{"\t"}}{{$.Name}}{{"\t"}}{{.Destination}}{{"\t"}}{{.Source}}{{"\n"}}{{end}}' $ids) ||
            refuse 6 "docker inspect failed, so the key of the deployment's containers can't be read; run this again"
        inspected=$(printf '%s\n' "$inspected" | awk "$inspect_awk")
        records="$inspected$newline$records"
        containers_seen=$(printf '%s\n' "$inspected" | awk -F '\t' '$5 ~ /^LAGO_|^SECRET_KEY_BASE$/ { print "yes"; exit }')
        used="containers of this deployment"
    fi
fi

# --- judging a key ---

# A text that may hold a key: a PEM with a line for each 64 letters, "base64" and the same, or "!" and what it is.
# shellcheck disable=SC2016
shape_awk='
function folded(text,    out) {
    out = ""
    while (length(text) > 64) { out = out substr(text, 1, 64) "\n"; text = substr(text, 65) }
    return out text
}
{ text = text $0 "\n" }
END {
    gsub(/\036/, "\n", text); gsub(/\\+[\n]/, "\n", text); gsub(/\\+n/, "\n", text); gsub(/\\+r|\r/, "", text)
    gsub(/^["\047 \t\n]+|["\047 \t\n]+$/, "", text)
    if (match(text, /-----BEGIN [A-Z0-9 ]+-----/)) {
        label = substr(text, RSTART + 11, RLENGTH - 16); body = substr(text, RSTART + RLENGTH)
        if (label ~ /PUBLIC/) { print "!a public key, not the private one"; exit }
        if (label ~ /CERTIFICATE/) { print "!a certificate, not a private key"; exit }
        if (label ~ /ENCRYPTED/ || body ~ /ENCRYPTED/) { print "!encrypted with a passphrase"; exit }
        if (label ~ /^EC |^DSA /) { print "!not an RSA key"; exit }
        if (label ~ /OPENSSH/) { print "!in the format of OpenSSH, which Lago can\047t read"; exit }
        if (!match(body, /-----END /)) { print "!truncated: its END line is missing"; exit }
        body = substr(body, 1, RSTART - 1); gsub(/[^A-Za-z0-9+\/=]/, "", body)
        print "-----BEGIN " label "-----\n" folded(body) "\n-----END " label "-----"
        exit
    }
    letters = text; gsub(/[ \t\n"\047]/, "", letters)
    if (letters == "") { print "!nothing"; exit }
    if (letters ~ /^[A-Za-z0-9+\/]+=*$/ && letters ~ /^(LS0t|TFMwd|MII|Ci0t|CgotL|MI[GHEFIJ])/) {
        print "base64\n" folded(letters); exit
    }
    if (letters ~ /^\.?\.?\/[^=]*$/ || letters ~ /\.(pem|key)$/) { print "!a path, where Lago reads a key"; exit }
    if (text ~ /\$[{(]/ || text ~ /^\$[A-Za-z_]+$/) { print "!nothing"; exit }
    if (letters ~ /^LS0t[A-Za-z0-9_=-]+$/) { print "!URL-safe base64 or base64 with foreign letters"; exit }
    if (tolower(text) ~ /PLACEHOLDERS/ && letters !~ /^(LS0t|MII)/) { print "!nothing"; exit }
    print "!no key at all"
}
'
# The same expressions as the gate's (placeholder values).
placeholders='change[-_ .]?(me|this)|your([-_ ]|password|secret)|replace|placeholder|example|todo|xxxx|<[^>]*>|(^|[^a-z])(insert|generate|enter|put|fill|random|some)[-_ ]|openssl|[-_ ]here(\\n)?$|dummy|to[-_ ]?be[-_ ]|\*\*\*\*'
before_placeholders=${shape_awk%PLACEHOLDERS*}
shape_awk=$before_placeholders$placeholders${shape_awk#*PLACEHOLDERS}

judged_text='' digest='' pem='' why=nothing
openssl_pkey() { printf '%s\n' "$pem" | openssl pkey -passin pass: "$@" 2>/dev/null; }

# Sets "digest" and "pem" of a usable key; else "why", which is "nothing" where no key is or was.
judge() { # TEXT [DEPTH]
    # The containers share one key.
    if [ "$1" = "$judged_text" ]; then return 0; fi
    judged_text=$1
    settle_key "$@"
}
settle_key() { # TEXT [DEPTH]
    digest='' pem='' why=''
    judged=$(printf '%s\n' "$1" | awk "$shape_awk")
    case $judged in
        '!'*)
            why=${judged#!}
            return 0
            ;;
        base64*)
            judged=${judged#base64"$newline"}
            decoded=$(printf '%s\n' "$judged" | openssl base64 -d 2>/dev/null | tr -d '\000') || decoded=''
            case $decoded in
                *-----BEGIN\ * | LS0tLS1CRUdJTi* | MII*)
                    if [ "${2:-0}" -lt 2 ]; then settle_key "$decoded" $((${2:-0} + 1)); else why="damaged"; fi
                    return 0
                    ;;
            esac
            for label in "PRIVATE KEY" "RSA PRIVATE KEY"; do
                pem="-----BEGIN $label-----$newline$judged$newline-----END $label-----"
                [ -z "$(openssl_pkey -noout -text)" ] || break
            done
            if [ -z "$(openssl_pkey -noout -text)" ] &&
                printf '%s\n' "-----BEGIN PUBLIC KEY-----$newline$judged$newline-----END PUBLIC KEY-----" |
                openssl pkey -pubin -noout 2>/dev/null; then
                why="a public key, not the private one"
                return 0
            fi
            ;;
        *) pem=$judged ;;
    esac
    described=$(openssl_pkey -noout -text) || described=''
    bits=$(printf '%s\n' "$described" | sed -n 's/^.*Private-Key: (\([0-9]*\) bit.*/\1/p')
    case $described in
        *modulus:*) ;;
        '') why="damaged or truncated" ;;
        *) why="not an RSA key" ;;
    esac
    [ -n "$why" ] || [ "${bits:-0}" -ge 2048 ] || why="shorter than 2048 bits, which Lago can't sign with"
    if [ -z "$why" ]; then
        case $(printf '%s\n' "$pem" | openssl rsa -check -noout 2>&1) in
            *"RSA key ok"*) ;;
            *) why="damaged: its numbers contradict each other" ;;
        esac
    fi
    [ -z "$why" ] || return 0
    digest=$(openssl_pkey -pubout -outform DER | openssl dgst -sha256 | sed 's/^.*[ (]\([0-9a-f]*\))*$/\1/')
    pem=$(openssl_pkey)
}

# --- the key: which ones there are, and which one stays ---

key_name=$(value_in .env.lago LAGO_RSA_KEY_FILE)
key_name=${key_name:-lago_rsa_private.pem}
key_name=${key_name#./}
case $key_name in /*) key_file=$key_name ;; *) key_file=$folder/$key_name ;; esac
for file in "$env_file" "$key_file"; do
    if [ -d "$file" ]; then
        refuse 4 "$file is a folder (Docker makes one where a mounted file is missing); remove it: rmdir $file"
    elif [ -L "$file" ] && [ ! -e "$file" ]; then
        refuse 4 "$file is a symbolic link to a file that is missing; remove it or restore the file"
    fi
done

# Records of digest, place and PEM; lines of what can't be used; places that are only named.
keys='' bad='' candidates='' held='' key_file_digest=''
note_key() { # PLACE TEXT
    judge "$2"
    if [ -n "$digest" ]; then
        keys=$keys$digest$tab$1$tab$(printf '%s' "$pem" | tr '\n' '\036')$newline
    elif [ "$why" != nothing ]; then
        bad=$bad"$1 is $why"$newline
    fi
}
if [ -e "$key_file" ]; then
    [ -r "$key_file" ] || refuse 4 "$key_file can't be read by this user; run this as root"
    note_key "$key_name" "$(tr -d '\000' <"$key_file")"
    key_file_digest=$digest
    [ "$why" != nothing ] || bad=$bad"$key_name is empty"$newline
fi
key_records=$(printf '%s\n' "$records" | awk -F '\t' "$is_key_awk"'$4 != "v" || is_key($5)' | grep .) || key_records=''
for record in $key_records; do
    place=${record%%"$tab"*} rest=${record#*"$tab"} text=${record##*"$tab"}
    first=${rest%%"$tab"*} rest=${rest#*"$tab"*"$tab"}
    kind=${rest%%"$tab"*} rest=${rest#*"$tab"} name=${rest%%"$tab"*}
    case $kind in
        v)
            before=$keys$bad
            note_key "$name in $place" "$text"
            [ "$before" = "$keys$bad" ] || held=$held$place$newline
            ;;
        m) if [ -f "$text" ] && [ "$text" != "$key_file" ]; then note_key "$place" "$(tr -d '\000' <"$text")"; fi ;;
        *)
            judge "$text"
            [ "$why" = nothing ] || candidates=$candidates"line $first of $place"$newline
            ;;
    esac
done
for file in $pem_files; do
    [ "$file" != "$key_file" ] && [ -r "$file" ] || continue
    judge "$(tr -d '\000' <"$file")"
    case $why in '' | encrypted*) candidates=$candidates${file##*/}$newline ;; esac
done

digests=$(printf '%s' "$keys" | cut -f 1 | sort -u)
# The places of one key, joined by commas.
places_of() { # DIGEST
    printf '%s' "$keys" |
        awk -F '\t' -v digest="$1" '$1 == digest && !seen[$2]++ { out = out (out == "" ? "" : ", ") $2 } END { print out }'
}
running=$(printf '%s' "$keys" | awk -F '\t' '$2 ~ / in container / || $2 ~ /\(mounted into / { print $1 }' | sort -u)

problems=''
problem() { problems=$problems$1$newline; }
joined() { printf '%s' "$1" | awk '{ out = out (NR == 1 ? "" : ", ") $0 } END { print out }'; }
chosen='' chosen_pem='' chosen_from=''
how="say which one to keep: provision.sh --key-from FILE"

if [ -n "$key_from" ]; then
    [ -f "$key_from" ] && [ -r "$key_from" ] || refuse 4 "--key-from $key_from is not a file that can be read; name a PEM, an env file or a compose file"
    given=$(tr -d '\000' <"$key_from")
    judge "$given"
    given_keys='' given_why=$why
    if [ -n "$digest" ]; then
        given_keys=$digest$tab$(printf '%s' "$pem" | tr '\n' '\036')$newline
    else
        case $key_from in *.yml | *.yaml) kind=compose ;; *) kind=env ;; esac
        for record in $(records_of "$kind" "$key_from" given | awk -F '\t' "$is_key_awk"'$4 != "v" || is_key($5)'); do
            judge "${record##*"$tab"}"
            [ -z "$digest" ] || given_keys=$given_keys$digest$tab$(printf '%s' "$pem" | tr '\n' '\036')$newline
            [ -z "$why" ] || given_why=$why
        done
    fi
    case $(printf '%s' "$given_keys" | cut -f 1 | sort -u | grep -c .) in
        0) problem "$key_from holds no RSA key that Lago can use ($given_why); name another file" ;;
        1)
            chosen=${given_keys%%"$tab"*}
            chosen_pem=$(printf '%s' "$given_keys" | head -n 1 | cut -f 2)
            chosen_from=$key_from
            ;;
        *) problem "$key_from holds several different RSA keys; put the right one into a file of its own and name that" ;;
    esac
elif [ -n "$new_key" ]; then
    chosen=new
elif [ -n "$digests" ] && [ "$(printf '%s\n' "$digests" | grep -c .)" -gt 1 ]; then
    several=''
    for each in $digests; do several="$several; sha256 $each: $(places_of "$each")"; done
    [ -z "$running" ] || how="keep the one of the containers, which is in use: take the others out of their files and call again. To change the key on purpose: provision.sh --key-from FILE"
    problem "there are different RSA keys (by the digest of their public halves)${several}. Webhook receivers accept signatures of one only; $how"
elif [ -n "$digests" ]; then
    chosen=$digests
    chosen_pem=$(printf '%s' "$keys" | head -n 1 | cut -f 3)
    chosen_from=$(places_of "$chosen")
    case $bad in *" in container "*)
        problem "the containers run with another value than the key of $chosen_from: $(joined "$bad"). If $chosen_from holds the right key: provision.sh --key-from FILE"
        ;;
    esac
elif [ -n "$bad" ]; then
    problem "the old RSA key can't be used: $(joined "$bad"). Restore it from a backup or from whoever made it, and call provision.sh --key-from FILE. An encrypted key: openssl pkey -in OLD -out FILE. If it is lost: provision.sh --new-key, and give the new public half to every webhook receiver"
elif [ -n "$candidates" ]; then
    problem "no RSA key is where Lago would find it, but these may hold the old one: $(joined "$candidates"). Take it from there: provision.sh --key-from FILE; or, if none was ever in use: provision.sh --new-key"
elif [ -n "$used" ]; then
    problem "Lago runs or ran here ($used), but its RSA key was not found. Restore it from a backup and call provision.sh --key-from FILE; if it is lost: provision.sh --new-key, and give the new public half to every webhook receiver"
else
    chosen=new
fi

# --- the variables ---

example=''
for file in "$shipped" "$own" "$folder"; do
    [ -n "$example" ] || [ -z "$file" ] || [ ! -f "$file/.env.lago.example" ] || example=$file/.env.lago.example
done
[ -z "$shipped" ] || [ "$example" = "$shipped/.env.lago.example" ] || refuse 4 "--shipped $shipped has no .env.lago.example; name the folder compose/ of lago-acceptance"
base=$env_file
if [ ! -e "$env_file" ]; then
    [ -n "$example" ] || refuse 4 ".env.lago.example is missing in $folder, and .env.lago is made from it; copy it there from the folder compose/ of lago-acceptance"
    base=$example
    template=$(records_of env "$example" example)
    records="$records$newline$template"
fi
# An old key, or containers, or a volume: a missing secret may have been in use as well.
settled=$used
[ -z "$held" ] || settled=${settled:-"$(joined "$(printf '%s' "$held" | sort -u)")"}
if [ -z "$settled" ] && ! command -v docker >/dev/null && [ -e "$env_file" ]; then
    settled=$(printf '%s\n' "$records" | awk -F '\t' '$1 == ".env.lago" && $5 ~ /SECRET|PASS|KEY|DATABASE/ && $5 !~ /_FILE$/ && $6 != "" { print ".env.lago"; exit }')
fi

plan_awk='
BEGIN { FS = "\t"
    count = split("POSTGRES_PASSWORD SECRET_KEY_BASE LAGO_ENCRYPTION_PRIMARY_KEY LAGO_ENCRYPTION_DETERMINISTIC_KEY LAGO_ENCRYPTION_KEY_DERIVATION_SALT LAGO_API_KEY LAGO_ORG_NAME LAGO_ORG_USER_EMAIL LAGO_ORG_USER_PASSWORD LAGO_API_HOST LAGO_FRONT_HOST LAGO_API_HOST_PORT LAGO_RSA_KEY_FILE", names, " ")
    # Names under which each of them stood, wrong ones included.
    wrong["SECRET_KEY_BASE"] = "(LAGO_|RAILS_|APP_|API_)?(SECRET(_?KEY)?(_?BASE)?(_KEY)?|KEY_BASE|SECRET_KEY_BASE_[A-Za-z0-9_]+)"
    wrong["POSTGRES_PASSWORD"] = "(LAGO_|RAILS_|APP_)?(DATABASE|DB|POSTGRES|POSTGRESQL|PG)_?(PASSWORD|PASSWD|PASS|PWD)"
    encryption = "(LAGO_|RAILS_|APP_)?(ACTIVE_RECORD_|AR_)?ENCRYPTION_"
    wrong["LAGO_ENCRYPTION_PRIMARY_KEY"] = encryption "(PRIMARY_KEY|PRIMARY)"
    wrong["LAGO_ENCRYPTION_DETERMINISTIC_KEY"] = encryption "(DETERMINISTIC_KEY|DETERMINISTIC)"
    wrong["LAGO_ENCRYPTION_KEY_DERIVATION_SALT"] = encryption "(KEY_DERIVATION_SALT|DERIVATION_SALT|SALT)"
    wrong["LAGO_API_KEY"] = "(LAGO_)?(ORG_)?(API_KEY|APIKEY|API_TOKEN)"
    wrong["LAGO_ORG_NAME"] = "(LAGO_)?(ORG|ORGANIZATION|ORGANISATION)_NAME"
    wrong["LAGO_ORG_USER_EMAIL"] = "(LAGO_)?(ORG_)?(ADMIN|USER|ADMIN_USER)_EMAIL"
    wrong["LAGO_ORG_USER_PASSWORD"] = "(LAGO_)?(ORG_)?(ADMIN|USER|ADMIN_USER)_(PASSWORD|PASSWD|PASS)"
    wrong["LAGO_API_HOST"] = "LAGO_API_(DOMAIN|HOSTNAME)"
    wrong["LAGO_FRONT_HOST"] = "LAGO_FRONT_(DOMAIN|HOSTNAME)"
    url["POSTGRES_PASSWORD"] = "(LAGO_|RAILS_|APP_|PRIMARY_)?(DATABASE|DB|POSTGRES|POSTGRESQL|PG)_?(URL|URI|DSN|CONNECTION(_STRING)?|HOST|SERVER)"
    url["LAGO_API_HOST"] = "(LAGO_)?API_URL"
    url["LAGO_FRONT_HOST"] = "(LAGO_)?FRONT_URL"
}
function usable(name, value) {
    if (value == "" || value ~ /\$[{(A-Za-z_]/) return 0
    return name !~ /PASSWORD|SECRET|KEY$|SALT/ || tolower(value) !~ /PLACEHOLDERS/
}
# What a variable under another name holds for "wanted"; "derived" says that it is only a part of it.
function held_for(wanted, name, value, strict,    part) {
    derived = 0
    if (name == wanted) return usable(wanted, value) ? value : ""
    if (strict && wanted ~ /^LAGO_ENCRYPTION_/) return "LAGO_" name == wanted ? value : ""
    if (!strict && (wanted in wrong) && name ~ ("^(" wrong[wanted] ")$")) return usable(wanted, value) ? value : ""
    if (!(wanted in url) || name !~ ("^(" url[wanted] ")$") || value ~ /\$[{(]/) return ""
    derived = 1
    if (wanted == "POSTGRES_PASSWORD") {
        if (value !~ /^postgres(ql)?:\/\/[^:@\/]*:[^@]+@/) return ""
        part = value; sub(/^[a-z]+:\/\/[^:@\/]*:/, "", part); sub(/@[^@]*$/, "", part); return part
    }
    if (value !~ /^https:\/\/[A-Za-z0-9.-]+\.[A-Za-z]+\/?$/) return ""
    part = value; sub(/^https:\/\//, "", part); sub(/\/$/, "", part); return part
}
# One value from a group of places; several different ones are a conflict. Of what runs ("strict"), the variable counts
# that Lago takes first: DATABASE_URL, and encryption keys without LAGO_ (docs/lago-facts.md, section 1.4).
function look(wanted, places, strict,    n, value, rank, best) {
    found = ""; from = ""; at = 0; clash = ""; best = 0
    for (n = 1; n <= NR; n++) {
        if (kind[n] != "v" || place[n] !~ places) continue
        value = held_for(wanted, name[n], text[n], strict)
        if (value == "") continue
        rank = strict && (wanted ~ /^LAGO_ENCRYPTION_/ ? name[n] != wanted : derived) ? 2 : 1
        if (rank < best) continue
        if (rank > best) { best = rank; found = value; from = name[n] " in " place[n]; at = derived ? 0 : n; clash = "" }
        else if (found != value) clash = (clash == "" ? from : clash) " and " name[n] " in " place[n]
    }
    return clash == "" && found != ""
}
{ place[NR] = $1; first[NR] = $2; last[NR] = $3; kind[NR] = $4; name[NR] = $5; text[NR] = $6
  if ($4 == "v" && ($1 == base)) line[$5] = NR }
END {
    for (k = 1; k <= count; k++) {
        wanted = names[k]; n = line[wanted]
        own = base == ".env.lago" && n && usable(wanted, text[n])
        found = ""
        done = own
        if (own && look(wanted, "^container ", 1) && found != text[n] && wanted ~ /SECRET|PASSWORD|KEY$|SALT/ && wanted !~ /USER_PASSWORD/)
            print "note\t" wanted " in .env.lago differs from " from ", which is in use; the next deploy changes it"
        if (own && wanted == "POSTGRES_PASSWORD" && ("DATABASE_URL" in line)) {
            other = held_for(wanted, "DATABASE_URL", text[line["DATABASE_URL"]], 0)
            if (other != "" && other != text[n]) print "problem\tPOSTGRES_PASSWORD and the password in DATABASE_URL differ in .env.lago; keep the one that PostgreSQL accepts, and delete the other line"
        }
        for (tier = 1; !done && tier <= 4; tier++) {
            if (!look(wanted, tier == 1 ? "^container " : tier == 2 ? "^\\.env\\.lago$" : tier == 3 ? "^\\.env$" : "\\.ya?ml$", tier == 1)) {
                if (clash != "") { print "problem\t" wanted " has different values: " clash "; write the right one into .env.lago as " wanted " and run this again"; done = 1 }
                continue
            }
            done = 1
            if (tier == 2 && at) print "rename\t" first[at] "\t" name[at] "\t" wanted
            else if (base != "example" || !n || found != text[n]) print "set\t" (n ? first[n] : 0) "\t" (n ? last[n] : 0) "\t" wanted "\t" from "\t" found
        }
        if (!done && wanted !~ /_HOST|_FILE$/ && !(base == "example" && n && text[n] != "" && !settled))
            print "missing\t" (n ? first[n] : 0) "\t" (n ? last[n] : 0) "\t" wanted
    }
}
'
before_placeholders=${plan_awk%PLACEHOLDERS*}
plan_awk=$before_placeholders$placeholders${plan_awk#*PLACEHOLDERS}
base_place=.env.lago
[ "$base" = "$env_file" ] || base_place=example
plan=$(printf '%s\n' "$records" | sed '/^$/d' | awk -v base="$base_place" -v settled="$settled" "$plan_awk")

# Quoted for an env file where it must be; nothing where that is impossible.
env_value() {
    case $1 in
        *[!A-Za-z0-9_.@:/+=%,-]*) case $1 in *\'* | *"$(printf '\036')"*) ;; *) printf "'%s'" "$1" ;; esac ;;
        *) printf '%s' "$1" ;;
    esac
}
made_for() {
    case $1 in
        POSTGRES_PASSWORD) openssl rand -hex 24 ;;
        SECRET_KEY_BASE) openssl rand -hex 64 ;;
        LAGO_API_KEY) openssl rand -hex 16 | sed 's/^\(.\{8\}\)\(....\).\(...\).\(...\)\(.*\)$/\1-\2-4\3-a\4-\5/' ;;
        LAGO_ENCRYPTION_* | LAGO_ORG_USER_PASSWORD) openssl rand -hex 16 ;;
        *) [ -z "$example" ] || sed -n "s/^$1=//p" "$example" ;;
    esac
}
example_of() {
    case $1 in
        POSTGRES_PASSWORD) printf 'the password of the PostgreSQL user lago' ;;
        SECRET_KEY_BASE) printf 'if it is lost: openssl rand -hex 64, which logs everybody out' ;;
        LAGO_ENCRYPTION_*) printf 'only if it never had one: openssl rand -hex 16; with another value, the stored secrets of payment providers are unreadable' ;;
        LAGO_API_KEY) printf 'an API key of the organization, from the web UI under Developers' ;;
        LAGO_ORG_NAME) printf 'the name of the organization as in Lago; with another name, seeding makes a second one' ;;
        *) printf 'that of the administrator in Lago' ;;
    esac
}

# Edits of the base file: drop, replace, rename; and the sentences about them.
edits='' changes='' notes=''
for record in $plan; do
    action=${record%%"$tab"*} rest=${record#*"$tab"}
    case $action in
        note) notes=$notes$rest$newline ;;
        problem) problem "$rest" ;;
        rename)
            edits=$edits$record$newline
            old=${rest#*"$tab"}
            changes=$changes"${old%%"$tab"*} is now ${old#*"$tab"}"$newline
            ;;
        *)
            first=${rest%%"$tab"*} rest=${rest#*"$tab"}
            last=${rest%%"$tab"*} rest=${rest#*"$tab"}
            name=${rest%%"$tab"*} rest=${rest#*"$tab"}
            if [ "$action" = set ]; then
                from=${rest%%"$tab"*} value=$(env_value "${rest#*"$tab"}")
                [ -n "$value" ] || problem "$name is $from, but has letters that an env file can't hold; write it into .env.lago by hand"
                changes=$changes"$name comes from $from"$newline
            else
                never=''
                case $name in LAGO_ENCRYPTION_*) never=$containers_seen ;; esac
                if [ -n "$settled" ] && [ -z "$never" ]; then
                    problem "$name was not found, and this deployment has been in use ($settled), so no new one is made. Write the old one into .env.lago as $name=... ($(example_of "$name"))"
                    continue
                fi
                value=$(made_for "$name")
                [ -n "$value" ] || problem "$name is missing; write it into .env.lago as $name=..."
                changes=$changes"$name was made"$newline
            fi
            edits=$edits"set$tab$first$tab$last$tab$name=$value"$newline
            ;;
    esac
done
for record in $key_records; do
    [ "$base" = "$env_file" ] || break
    case $record in .env.lago"$tab"*"$tab"v"$tab"*"$tab"?*) ;; *) continue ;; esac
    rest=${record#*"$tab"} first=${record#*"$tab"}
    first=${first%%"$tab"*} rest=${rest#*"$tab"}
    name=${rest#*"$tab"*"$tab"}
    edits=$edits"drop$tab$first$tab${rest%%"$tab"*}"$newline
    changes=$changes"${name%%"$tab"*} was removed: the key is in $key_name"$newline
done

if [ -n "$problems" ]; then
    for each in $problems; do say "$each"; done
    [ -z "$digests" ] || for each in $digests; do say "RSA key $(places_of "$each"): sha256 of its public half $each"; done
    refuse 1 "nothing was written in $folder"
fi

# --- writing ---

new_env='' new_pem=''
cleanup() { rm -f -- ${new_env:+"$new_env"} ${new_pem:+"$new_pem"}; }
trap cleanup EXIT
trap 'exit 2' HUP INT TERM
unwritable="can't be written: this user may not write into $folder, or its disk is full. Nothing was changed; make room or run this as root"
stamp=$(date -u +%Y%m%dT%H%M%SZ)

# Keep an old file beside its new one.
keep_old() { # FILE
    kept=$1.before-$stamp
    [ ! -L "$1" ] || refuse 4 "$1 is a symbolic link and would have to change; replace it by the file itself: cp --remove-destination \"\$(readlink -f $1)\" $1"
    { ln -- "$1" "$kept" || { [ ! -e "$kept" ] && cp -p -- "$1" "$kept"; }; } 2>/dev/null || refuse 4 "$kept $unwritable"
    chmod 600 "$kept" 2>/dev/null || refuse 4 "$kept can't be given mode 600 by this user; run this as root"
    say "the old ${1##*/} is kept as ${kept##*/}"
}
put() { # NEW FILE
    if [ -e "$2" ] || [ -L "$2" ]; then mv -f -- "$1" "$2"; else ln -- "$1" "$2" 2>/dev/null || mv -- "$1" "$2"; fi ||
        refuse 4 "$2 $unwritable"
    rm -f -- "$1"
}

if [ -n "$edits" ] || [ "$base" != "$env_file" ]; then
    content=$({
        printf '%s\n\035\n' "$edits"
        cat -- "$base"
    } | awk -F '\t' '
        !body && $0 == "\035" { body = 1; next }
        !body && $1 == "drop" { for (n = $2; n <= $3; n++) gone[n] = 1; next }
        !body && $1 == "rename" { old[$2] = $3; new[$2] = $4; next }
        !body && $1 == "set" {
            text = substr($0, length($1 $2 $3) + 4)
            if ($2 > 0) { for (n = $2; n <= $3; n++) gone[n] = 1; instead[$2] = text } else more = more "\n" text
            next
        }
        !body { next }
        { at++ }
        at in instead { print instead[at]; next }
        at in gone { next }
        at in old { sub("^[ \t]*(export[ \t]+)?" old[at] "[ \t]*=[ \t]*", new[at] "=") }
        { print }
        END { if (more != "") print substr(more, 2) }')
    new_env=$(mktemp "$folder/.env.lago.XXXXXX" 2>/dev/null) || refuse 4 "$env_file $unwritable"
    # Whoever owns the old file goes on to read the new one.
    [ ! -e "$env_file" ] || cp -p -- "$env_file" "$new_env" 2>/dev/null || refuse 4 "$env_file $unwritable"
    chmod 600 "$new_env"
    printf '%s\n' "$content" 2>/dev/null >"$new_env" || refuse 4 "$env_file $unwritable"
fi
if [ "$chosen" = new ] || [ "$chosen" != "$key_file_digest" ]; then
    if [ "$chosen" = new ]; then
        chosen_pem=$(openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null) || refuse 6 "openssl could not make an RSA key; run it by hand to see why: openssl genpkey -algorithm RSA"
    else
        chosen_pem=$(printf '%s' "$chosen_pem" | tr '\036' '\n')
    fi
    new_pem=$(mktemp "${key_file%/*}/.lago_rsa_private.XXXXXX" 2>/dev/null) || refuse 4 "$key_file $unwritable"
    printf '%s\n' "$chosen_pem" 2>/dev/null >"$new_pem" || refuse 4 "$key_file $unwritable"
    judge "$(cat -- "$new_pem")"
    [ -n "$digest" ] || refuse 4 "$key_file $unwritable"
fi
for file in "$env_file" "$key_file"; do
    [ -f "$file" ] && [ ! -L "$file" ] && [ -z "$(find "$file" -prune -perm 600)" ] || continue
    chmod 600 "$file" 2>/dev/null || refuse 4 "$file can't be given mode 600 by this user; run this as root"
    say "$file can now be read by its owner only (mode 600)"
    changed=yes
done
if [ -n "$new_pem" ]; then
    [ ! -e "$key_file" ] || keep_old "$key_file"
    put "$new_pem" "$key_file"
    if [ "$chosen" = new ]; then say "made $key_file: a new RSA key"; else say "made $key_file: the old RSA key, from $chosen_from"; fi
    [ "$chosen" != new ] || [ -z "$digests$bad$candidates$used" ] ||
        say "the key is new: webhooks fail at every receiver until it has the new public half (openssl pkey -in $key_file -pubout)"
    chosen=$digest
else
    say "$key_file already exists and was left as it is"
fi
if [ -n "$new_env" ]; then
    [ ! -e "$env_file" ] || keep_old "$env_file"
    put "$new_env" "$env_file"
    say "made $env_file"
    for each in $changes; do say "$each"; done
else
    say "$env_file already exists and was left as it is"
fi
say "RSA key: sha256 of its public half $chosen"
[ -n "$new_env$new_pem${changed:-}" ] || say "nothing had to change"

# --- what is left to do ---

for each in $notes; do say "$each"; done
[ -z "$bad" ] || say "not used: $(joined "$bad")"
[ -z "$running" ] || [ "$running" = "$chosen" ] ||
    say "the containers still run with another key (sha256 $running); from the next deploy on, receivers need the public half of this one"
for each in $(printf '%s' "$held" | sort -u); do
    case $each in
        .env) say "the RSA key is still in .env, where nothing reads it; remove it" ;;
        *.yml | *.yaml) say "the RSA key is still in $each, where everybody who sees that file can read it; put the shipped docker-compose.lago.yml in its place" ;;
    esac
done
[ -z "$candidates" ] || say "these may hold private keys, and were not used: $(joined "$candidates")"
unread=$(awk -v place=.env.lago "$env_awk" "$env_file" | cut -f 4,5 | sed -n "s/^v$tab//p" | sort -u)
listed=''
for name in $unread; do
    case $name in COMPOSE_* | DOCKER_*) continue ;; esac
    case $plan_awk in *[!A-Z_]"$name"[!A-Z_]*) continue ;; esac
    if [ ! -f "$folder/docker-compose.lago.yml" ] || ! grep -q "\${\{0,1\}$name[^A-Za-z0-9_]" "$folder/docker-compose.lago.yml"; then
        listed=$listed$name$newline
    fi
done
[ -z "$listed" ] || say "nothing reads these variables of .env.lago; delete them if you don't know them: $(joined "$listed")"
for name in docker-compose.lago.yml rsa_key.rb; do
    [ -e "$folder/$name" ] ||
        say "$name is missing in $folder; copy it there from the folder compose/ of lago-acceptance (the deployment needs docker-compose.lago.yml, rsa_key.rb, .env.lago and $key_name)"
done
