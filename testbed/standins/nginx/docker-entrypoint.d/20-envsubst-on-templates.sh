#!/bin/sh
# Templates become files with the variables that are set; what else looks like a variable is nginx's own.
set -e

from=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
ending=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
into=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}

[ -d "$from" ] || exit 0
if [ ! -w "$into" ]; then
    echo "$0: ERROR: $from exists, but $into is not writable"
    exit 0
fi
export NGINX_ENVSUBST_FILTER
defined=$(awk 'BEGIN {
    for (name in ENVIRON) if (name ~ ENVIRON["NGINX_ENVSUBST_FILTER"]) printf "${%s} ", name
}')
find "$from" -follow -type f -name "*$ending" | while read -r template; do
    file=$into/${template#"$from/"}
    mkdir -p "$(dirname "$file")"
    envsubst "$defined" < "$template" > "${file%"$ending"}"
done
