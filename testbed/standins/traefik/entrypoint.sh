#!/bin/sh
# The official image's contract: options alone mean traefik.
set -e

if [ "${1#-}" != "$1" ]; then
    set -- traefik "$@"
fi
exec "$@"
