# Runs inside Lago's API container: sh -c THIS sh NAME EMAIL. Makes the organization where it is missing, and prints
# its key, in parts: whoever has heard of it before would get it masked. No value becomes an argument of a process: anybody
# on the host can read arguments.
set -e
# `docker exec` does not pass through an entrypoint that wraps the key, but the main process has it.
if [ -z "$LAGO_RSA_PRIVATE_KEY" ]; then
    LAGO_RSA_PRIVATE_KEY=$(tr '\0' '\n' </proc/1/environ | sed -n 's/^LAGO_RSA_PRIVATE_KEY=//p')
    export LAGO_RSA_PRIVATE_KEY
fi
own() {
    ruby -ropenssl -e 'puts OpenSSL::HMAC.hexdigest("SHA256", ENV.fetch("SECRET_KEY_BASE"), ARGV[0])' "$1"
}
key=$(own "lago-acceptance key" | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/')
password=$(own "lago-acceptance password")
LAGO_CREATE_ORG=true LAGO_ORG_NAME=$1 LAGO_ORG_USER_EMAIL=$2 LAGO_ORG_USER_PASSWORD=$password \
    LAGO_ORG_API_KEY=$key LAGO_API_KEY=$key bundle exec rails signup:seed_organization
printf 'key %s\n' "$key" | sed 's/[0-9a-f-]\{6\}/&./g'
