#!/bin/sh
# Makes .env.lago and lago_rsa_private.pem in a folder (default: this one), mode 600, and never overwrites either.
# Usage: sh provision.sh [FOLDER]
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here}

say() { printf 'provision: %s\n' "$1" >&2; }
command -v openssl >/dev/null || { say "openssl is missing; install it and call again"; exit 6; }
[ -d "$folder" ] || { say "$folder is not a folder; make it first"; exit 4; }

# A file is made beside its place and moved there by a link, which fails where the name is taken.
put() {
    chmod 600 "$1"
    if ln "$1" "$2" 2>/dev/null; then say "made $2"; else say "$2 is there already and was left as it is"; fi
    rm -f "$1"
}

if [ ! -e "$folder/.env.lago" ]; then
    new=$(mktemp "$folder/.env.lago.XXXXXX")
    while IFS= read -r line; do
        case $line in
            POSTGRES_PASSWORD=) line=$line$(openssl rand -hex 24) ;;
            SECRET_KEY_BASE=) line=$line$(openssl rand -hex 64) ;;
            LAGO_ENCRYPTION_*= | LAGO_ORG_USER_PASSWORD=) line=$line$(openssl rand -hex 16) ;;
            LAGO_API_KEY=) line=$line$(openssl rand -hex 16 | sed 's/^\(.\{8\}\)\(....\).\(...\).\(...\)\(.*\)$/\1-\2-4\3-a\4-\5/') ;;
        esac
        printf '%s\n' "$line"
    done <"$here/.env.lago.example" >"$new"
    put "$new" "$folder/.env.lago"
else
    say "$folder/.env.lago is there already and was left as it is"
fi

if [ ! -e "$folder/lago_rsa_private.pem" ]; then
    new=$(mktemp "$folder/lago_rsa_private.XXXXXX")
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$new" 2>/dev/null
    put "$new" "$folder/lago_rsa_private.pem"
else
    say "$folder/lago_rsa_private.pem is there already and was left as it is"
fi
