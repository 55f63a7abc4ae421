"""How Lago reads the variables that switch something on or off, as its sources do (the same in all known releases)."""

from __future__ import annotations

# Compared with the text true. So is LAGO_SIDEKIQ_WEB, but nobody should be told how to switch that on.
ONLY_TRUE = frozenset(
    (
        "LAGO_CREATE_ORG",
        "LAGO_DISABLE_LIFETIME_USAGE_REFRESH",
        "LAGO_DISABLE_SEGMENT",
        "LAGO_DISABLE_SIGNUP",
        "LAGO_DISABLE_WALLET_REFRESH",
        "LAGO_ENABLE_YJIT",
        "LAGO_SIDEKIQ_PRO_REQUIRED",
        "LAGO_USE_AWS_S3",
        "LAGO_USE_GCS",
    )
)
# Cast as Rails does: on, unless the value is one of FALSE.
CAST = frozenset(
    (
        "LAGO_DISABLE_EVENTS_VALIDATION",
        "LAGO_DISABLE_PDF_GENERATION",
        "LAGO_DISABLE_SSL",
        "LAGO_MEILISEARCH_SEARCH_ENABLED",
        "SIDEKIQ_AI_AGENT",
        "SIDEKIQ_ALERTS",
        "SIDEKIQ_ANALYTICS",
        "SIDEKIQ_BILLING",
        "SIDEKIQ_CLOCK",
        "SIDEKIQ_EVENTS",
        "SIDEKIQ_PAYMENTS",
        "SIDEKIQ_PDFS",
        "SIDEKIQ_WALLETS",
        "SIDEKIQ_WEBHOOK",
    )
)
FALSE = frozenset(("", "false", "FALSE", "f", "F", "off", "OFF", "0"))
# On as soon as there is a value.
ANY_VALUE = frozenset(
    (
        "LAGO_CLICKHOUSE_ENABLED",
        "LAGO_KARAFKA_WEB",
        "LAGO_REDIS_STORE_DISABLE_SSL_VERIFY",
        "LAGO_REDIS_STORE_SSL",
        "SENTRY_ENABLE_CRONS",
    )
)
# The front compares these with true.
FRONT_ONLY_TRUE = frozenset(("LAGO_DISABLE_SIGNUP", "LAGO_DISABLE_PDF_GENERATION"))

_MEANS_ON = frozenset(("true", "t", "yes", "y", "on", "1", "enable", "enabled"))
_MEANS_OFF = frozenset(("false", "f", "no", "n", "off", "0", "disable", "disabled", "none", "never"))


def reads_as_on(name: str, value: str, front: bool = False) -> bool | None:
    """Whether Lago, or its front, takes a switch with this value for on; None for a variable that is no switch."""
    if name in (FRONT_ONLY_TRUE if front else ONLY_TRUE):
        return value == "true"
    if front:
        return None
    if name in CAST:
        return value not in FALSE
    if name in ANY_VALUE:
        return bool(value.strip())
    return None


def meant_as_on(value: str) -> bool | None:
    """Whether whoever wrote the value means on or off; None where that isn't clear."""
    word = value.strip(" '\"").lower()
    return True if word in _MEANS_ON else False if word in _MEANS_OFF else None
