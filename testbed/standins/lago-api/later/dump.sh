#!/bin/sh
# Writes the tables that statements make, as pg_dump states them: dump.sh STATEMENTS FILE
set -e
bin=$(echo /usr/lib/postgresql/*/bin)
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
chown postgres "$data"
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
as_postgres "$bin/initdb" --no-sync --auth=trust --pgdata="$data" >/dev/null
as_postgres "$bin/pg_ctl" --wait --silent --pgdata="$data" --options="-c fsync=off -c listen_addresses= -k $data" --log="$data/log" start
as_postgres "$bin/createdb" --host="$data" lago
{ echo 'CREATE TABLE schema_migrations (version character varying NOT NULL PRIMARY KEY);'; cat "$1"; } |
  as_postgres "$bin/psql" --host="$data" --quiet --set=ON_ERROR_STOP=1 --output=/dev/null lago
as_postgres "$bin/pg_dump" --host="$data" --schema-only --no-privileges --no-owner --no-comments lago >"$2"
as_postgres "$bin/pg_ctl" --wait --silent --pgdata="$data" --mode=immediate stop
