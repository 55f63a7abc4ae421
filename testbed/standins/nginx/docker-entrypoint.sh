#!/bin/sh
# The official image's contract: what is in /docker-entrypoint.d runs before nginx, in the order of its names.
set -e

log() {
    [ "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"
}

# Of the official build, and not of this one.
missing='gzip_static|gunzip|stub_status|sub_filter|sub_filter_once|sub_filter_types|addition_types|add_before_body'
missing="$missing|add_after_body|dav_methods|flv|mp4|random_index|slice|http3|image_filter|xslt_stylesheet|geoip_country"

if [ "$1" = nginx ]; then
    find /docker-entrypoint.d/ -follow -type f | sort -V | while read -r file; do
        case "$file" in
            *.envsh | *.sh) [ -x "$file" ] || { log "$file is ignored, because it is not executable"; continue; } ;;
            *) log "$file is ignored"; continue ;;
        esac
        log "$file"
        case "$file" in
            *.envsh) . "$file" ;;
            *) "$file" ;;
        esac
    done
    lacking=$(nginx -t 2>&1 | sed -nE "s/.*unknown directive \"($missing)\".*/\1/p")
    [ -z "$lacking" ] || echo "$0: this stand-in for nginx has no $lacking, which the official image has: set NGINX_IMAGE" >&2
fi
exec "$@"
