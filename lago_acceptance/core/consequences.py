"""What findings mean for billing: which of them stop it, and which may be gone a minute later."""

from __future__ import annotations

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, CLOCK, DB, MIGRATE, REDIS, WORKER

# While one of these is there, no invoice is made or none reaches a customer: the stack can't start, or the API, the
# worker, the clock or a store doesn't do its part.
_STOPS = """
compose-interpolation-error compose-invalid project-renamed volume-moved db-password-changed

rsa-double-decoded rsa-double-encoded rsa-env-missing rsa-file-variable-never-read rsa-key-absent rsa-key-corrupted
rsa-key-loader-missing rsa-key-public rsa-key-unloadable rsa-key-wrong-type
rsa-mount-source-absent rsa-newlines-mangled rsa-not-base64 rsa-pem-absent rsa-pem-damaged rsa-pem-empty
rsa-pem-encrypted rsa-pem-is-a-folder rsa-pem-not-rsa rsa-pem-public rsa-volume-never-read

api-env-incomplete worker-env-incomplete clock-env-incomplete migrate-env-incomplete rails-env-missing
command-needs-shell wrong-script-path deps-inverted-api-on-worker
worker-config-missing worker-leaves-queues clock-file-missing never-completes no-api-service api-bound-to-loopback
data-directory-shared

no-worker-service no-clock-service not-brought-up
database-refuses-lago database-in-recovery database-lock-held database-out-of-connections database-privilege-missing
database-read-only database-rows-hidden database-search-path database-setting-breaks-lago
database-disagrees db-password-drift db-redis-url-misnamed db-url-unescaped-password
migrate-failed migrate-targets-other-db schema-not-the-images schema-table-missing schema-column-missing
secret-key-base-misnamed
upgrade-half-migrated upgrade-image-newer-than-schema upgrade-image-older-than-schema
store-is-another store-name-elsewhere redis-refuses-lago redis-disagrees redis-password-drift redis-url-misnamed localhost-in-container

api-fails api-unhealthy api-refuses-its-key worker-not-listening worker-idle clock-stands-still
queue-without-worker queue-without-reader worker-quiet jobs-overdue
redis-cannot-save redis-aof-fails redis-memory-full redis-is-a-replica redis-lacks-replicas redis-forbids-writes
redis-protected

log-database-missing log-database-password log-library-missing log-license-unreachable log-migration-failed
log-rails-env-missing
log-rsa-key-absent log-rsa-key-loader-missing log-rsa-key-public log-rsa-key-unloadable log-rsa-key-wrong-type
log-script-missing log-secret-key-base-missing

gateway-key-refused gateway-key-of-another-organization gateway-cannot-resolve-lago lago-name-elsewhere
lago-not-reached-by-gateway gateway-not-answered-by-lago gateway-plans-are-its-own
gateway-subscription-is-its-own

subscription-not-active subscription-not-activated invoice-missing last-invoice-missing subscriptions-pending
subscriptions-unbilled subscriptions-unusable
no-organization api-keys-expired timezone-unknown currencies-unknown plans-unusable metrics-unusable charges-unusable
invoices-draft-late
"""
STOPS_BILLING = frozenset(_STOPS.split())
# These may be any service's: they stop billing where it is one without which no invoice is made.
STOPS_BY_ROLE = frozenset(
    (
        "healthcheck-missing-binary",
        "healthcheck-never-passes",
        "host-unknown",
        "log-port-taken",
        "log-server-pid-left",
        "off-its-network",
        "service-down",
        "service-missing",
        "service-not-started",
        "wrong-network",
    )
)
ROLES_THAT_BILL = frozenset((API, WORKER, CLOCK, DB, REDIS, MIGRATE))

# What may be a moment's: a queue that is being emptied, a probe that ran out of time, a container that is starting, a
# certificate that is being issued, a deploy that is going on.
_MOMENTARY = """
api-bad-gateway api-busy api-fails api-not-routed api-slow api-unhealthy api-unreachable certificate-default
cloudflare-cannot-reach-origin database-client-another-lago database-client-unknown
database-connections-near-limit database-in-recovery database-lock-held database-out-of-connections
database-refuses-lago gateway-bad-gateway gateway-busy gateway-degraded gateway-down gateway-invoice-not-shown
gateway-not-answered-by-lago gateway-not-routed gateway-plans-are-its-own gateway-slow
gateway-subscription-not-shown gateway-unhealthy gateway-unreachable gateway-usage-not-shown host-unanswered
http-unanswered invoice-missing invoice-without-file invoices-generating invoices-without-file jobs-overdue
lago-not-reached-by-gateway last-invoice-missing log-database-unreachable log-license-unreachable
log-redis-unreachable login-cannot-reach-api memory-low migrate-failed name-fails page-hangs
proxy-answers-itself queue-stuck queue-without-reader redis-clients-full redis-loading redis-refuses-lago
redis-script-runs resolver-without-answer resolvers-disagree router-missing schedule-late service-down
service-missing service-more-than-once service-unanswered store-not-reached subscription-not-activated subscription-not-active
swap-full usage-does-not-grow webhook-not-delivered worker-idle worker-leaves-queues worker-not-listening
worker-of-another worker-quiet
"""
TIMING = frozenset(_MOMENTARY.split())


def stops_billing(finding: Finding) -> bool:
    """Whether no invoice is made, or none reaches a customer, while this finding is there."""
    return finding.id in STOPS_BILLING or (
        finding.id in STOPS_BY_ROLE and (finding.role is None or finding.role in ROLES_THAT_BILL)
    )
