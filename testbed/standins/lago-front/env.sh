#!/bin/bash
# The only variables that the front reads, written out at every start. Without a writable page folder nginx never starts.
set -e

for name in API_URL LAGO_DOMAIN APP_ENV LAGO_OAUTH_PROXY_URL LAGO_DISABLE_SIGNUP NANGO_PUBLIC_KEY SENTRY_DSN; do
    echo "window.$name = \"${!name}\""
done > env-config.js
