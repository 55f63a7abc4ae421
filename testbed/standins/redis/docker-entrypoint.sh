#!/bin/sh
# The official image's contract: options alone mean redis-server, which runs as user redis and listens for everyone.
set -e

case "$1" in
    -* | *.conf) set -- redis-server "$@" ;;
esac
[ "$1" = redis-server ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
    find . \! -user redis -exec chown redis '{}' +
    exec setpriv --reuid=redis --regid=redis --init-groups "$0" "$@"
fi

shift
# The official image is compiled with protected-mode off; a configuration file that names it decides for itself.
case "$1" in
    *.conf) grep -q '^ *protected-mode' "$1" || set -- "$@" --protected-mode no ;;
    *) set -- --protected-mode no "$@" ;;
esac
exec redis-server "$@"
