"""The variables that Lago and its front read (docs/lago-facts.md, sections 1.3 to 1.5 and 4)."""

from __future__ import annotations

from lago_acceptance.lago.key_loading import KEY

# With a star where a whole family of names is read.
READ = (
    "LAGO_API_URL",
    "LAGO_FRONT_URL",
    "LAGO_DOMAIN",
    "LAGO_PDF_URL",
    KEY,
    "LAGO_ENCRYPTION_PRIMARY_KEY",
    "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
    "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
    "LAGO_REDIS_*",
    "LAGO_MEMCACHE_*",
    "LAGO_LICENSE",
    "LAGO_DISABLE_*",
    "LAGO_SIDEKIQ_*",
    "LAGO_WEBHOOK_ATTEMPTS",
    "LAGO_EVENTS_*",
    "LAGO_SUBSCRIPTION_*",
    "LAGO_LIFETIME_USAGE_*",
    "LAGO_PARALLEL_*",
    "LAGO_USE_*",
    "LAGO_AWS_S3_*",
    "LAGO_GCS_*",
    "LAGO_SMTP_*",
    "LAGO_FROM_EMAIL",
    "LAGO_OAUTH_*",
    "LAGO_CLICKHOUSE_*",
    "LAGO_KAFKA_*",
    "LAGO_ENABLE_YJIT",
    "LAGO_LOG_LEVEL",
    "LAGO_CREATE_ORG",
    "LAGO_ORG_USER_EMAIL",
    "LAGO_ORG_USER_PASSWORD",
    "LAGO_ORG_NAME",
    "LAGO_ORG_API_KEY",
    "LAGO_API_KEY",
    "LAGO_RAILS_*",
    "LAGO_DATA_API_*",
    "LAGO_VERSION",
    "LAGO_PREMIUM*",
    "LAGO_CLOUD*",
    "LAGO_KARAFKA_*",
)
# What a deployment doesn't work without.
NEEDED = frozenset(
    (
        "DATABASE_URL",
        "REDIS_URL",
        "REDIS_PASSWORD",
        "SECRET_KEY_BASE",
        "RAILS_ENV",
        KEY,
        "LAGO_API_URL",
        "LAGO_FRONT_URL",
        "LAGO_DOMAIN",
        "LAGO_PDF_URL",
        "LAGO_REDIS_CACHE_URL",
        "LAGO_ENCRYPTION_PRIMARY_KEY",
        "LAGO_ENCRYPTION_DETERMINISTIC_KEY",
        "LAGO_ENCRYPTION_KEY_DERIVATION_SALT",
        "API_URL",
        "POSTGRES_USER",
        "POSTGRES_DB",
        "POSTGRES_PASSWORD",
        "PGDATA",
        "PORT",
    )
)
NEVER_READ = (
    "LAGO_REDIS_URL",
    "LAGO_REDIS_HOST",
    "LAGO_REDIS_PORT",
    "LAGO_REDIS_PASSWORD",
    "LAGO_REDIS_DB",
    "RSA_PRIVATE_KEY",
    "RSA_PUBLIC_KEY",
    "LAGO_RSA_PUBLIC_KEY",
    "LAGO_SECRET_KEY_BASE",
    "LAGO_DATABASE_URL",
)
# The front reads API_URL; its bundle was built without any of these.
FRONT_NEVER_READ = (
    "LAGO_API_URL",
    "LAGO_FRONT_URL",
    "REACT_APP_*",
    "VITE_*",
    "NEXT_PUBLIC_*",
    "GRAPHQL_URL",
    "LAGO_GRAPHQL_URL",
)
