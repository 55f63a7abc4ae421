"""One cause, one red: which findings follow from which others, and are blocked by them where these are there as well.

A cause is found in the facts of the host (a rule, Traefik's API, the database's log-in); what follows is what other checks
see of it, from outside or in another container.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial

import msgspec

from lago_acceptance.checks import (
    availability,
    database,
    database_trouble,
    drift,
    redis,
    redis_writes,
    schema,
    schema_structure,
    services,
    stores,
    worker,
)
from lago_acceptance.checks.edge import proxy_host, serving, traefik_routers
from lago_acceptance.checks.postgres import service
from lago_acceptance.core.findings import Finding, Red, errors_among
from lago_acceptance.core.roles import DB, PDF, REDIS
from lago_acceptance.core.settings import TRAEFIK, Settings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.facts.types import Facts

# What a host's name gives where the proxy does not reach its service, and where it has no router for it either.
_UNREACHED = "proxy-answers-itself service-unanswered wrong-service-answers"
_UNROUTED = f"certificate-default http-not-redirected http-redirect-wrong {_UNREACHED}"
# By the cause's id: the ids that follow for the same role, or for any where one of the two is about none.
_OF_ITS_ROLE: dict[str, str] = {
    "db-password-drift": "migrate-failed service-down",
    "redis-password-drift": "service-down",
    "off-its-network": "store-not-reached",
    "wrong-network": f"router-leads-elsewhere router-missing {_UNREACHED}",
    "store-not-reached": "api-fails api-open api-refused api-unhealthy service-down worker-not-listening log-database-missing "
    f"log-database-unreachable log-redis-unreachable router-missing {_UNREACHED}",
    "router-service-not-linked": f"router-broken router-leads-elsewhere router-missing router-resolver {_UNROUTED}",
    "wrong-certresolver": "router-broken router-resolver certificate-default",
    "router-broken": f"router-missing {_UNROUTED}",
    "router-missing": _UNROUTED,
    "router-leads-elsewhere": _UNREACHED,
    "service-down": "worker-not-listening",
    "router-resolver": "certificate-default",
}
_OF_WHAT_IS_DOWN = frozenset(f"router-broken router-leads-elsewhere router-missing {_UNROUTED}".split())
# The ids that follow for every role, each with a word that the problem must have.
_ERRORS = dict.fromkeys(
    ("api-fails", "api-open", "api-refused", "gateway-not-answered-by-lago", "lago-takes-any-key"), " 500"
)
# Where a store refuses everybody, with whatever else reads it.
_OF_A_STORE = {
    **_ERRORS,
    "api-unhealthy": "",
    "gateway-plans-are-its-own": "",
    "log-database-unreachable": "",
    "log-migration-failed": "",
    "log-redis-unreachable": "",
}
# Where Lago's tables are not as it needs them.
_OF_THE_TABLES = {**_OF_A_STORE, "schema-not-the-images": ""}
_TABLES_DIFFER = (
    "database-privilege-missing database-rows-hidden database-search-path schema-column-added schema-column-missing "
    "schema-not-null-added schema-table-missing schema-trigger-added"
)
_DATABASE_REFUSES = "database-in-recovery database-lock-held database-out-of-connections database-read-only database-setting-breaks-lago"
_REDIS_REFUSES = (
    "redis-aof-fails redis-cannot-save redis-clients-full redis-forbids-writes redis-is-a-replica redis-lacks-replicas "
    "redis-loading redis-memory-full redis-protected redis-script-runs"
)
# Sessions outlive the network that they came by, and nobody has their address any more.
_FROM_NOBODY = "which is no container of this host"
# With a host in one of its URLs; it may be the host that is off the network.
_SHARES_NO_NETWORK = "shares no network with"
_WAITS = {"service-down": "never started: something that it depends on failed"}
_OF_EVERY_ROLE: dict[str, dict[str, str]] = {
    **dict.fromkeys(f"{_DATABASE_REFUSES} {_REDIS_REFUSES}".split(), _OF_A_STORE),
    **dict.fromkeys(_TABLES_DIFFER.split(), _OF_THE_TABLES),
    "db-password-drift": {
        **_ERRORS,
        **_WAITS,
        "api-unhealthy": "",
        "database-refuses-lago": "",
        "log-database-password": "",
        "services-disagree": "DATABASE_URL differs",
    },
    "database-refuses-lago": {
        **_OF_A_STORE,
        **_WAITS,
        "log-database-password": "",
        "store-not-reached": "DATABASE_URL",
    },
    "database-disagrees": {"services-disagree": "DATABASE_URL differs"},
    "schema-not-the-images": {**_ERRORS, "log-migration-failed": ""},
    "redis-password-drift": {
        **_ERRORS,
        **_WAITS,
        "redis-refuses-lago": "",
        "services-disagree": "REDIS_URL differs",
    },
    "redis-refuses-lago": {**_OF_A_STORE, "store-not-reached": "REDIS_", "worker-not-listening": ""},
    "redis-disagrees": {"worker-not-listening": "", "services-disagree": "REDIS_URL differs"},
    "worker-not-listening": {"services-disagree": "REDIS_URL differs"},
    "off-its-network": {
        "wrong-network": _SHARES_NO_NETWORK,
        "database-client-another-lago": _FROM_NOBODY,
        "redis-used-by-another-lago": _FROM_NOBODY,
    },
    "traefik-too-old": dict.fromkeys(f"router-missing {_UNROUTED}".split(), ""),
    "acme-file-refused": {"router-broken": "resolver", "router-resolver": "", "certificate-default": ""},
}
# What follows where a store is not there, or off its network, by the store's role.
_NOT_THERE = frozenset(("off-its-network", "service-down", "service-missing"))
_OF_A_STORE_APART: dict[str | None, dict[str, str]] = {
    DB: {
        **_OF_A_STORE,
        "database-refuses-lago": "",
        "host-unknown": "DATABASE_URL",
        "log-database-missing": "",
        "store-not-reached": "DATABASE_URL",
    },
    REDIS: {
        **_OF_A_STORE,
        "host-unknown": "REDIS_",
        "redis-refuses-lago": "",
        "store-not-reached": "REDIS_",
        "worker-not-listening": "",
    },
    PDF: {"host-unknown": "PDF_URL", "store-not-reached": "PDF_URL"},
}
_URL = re.compile(r"\b[A-Z_]+_URL\b")
IDS = frozenset((*_OF_ITS_ROLE, *_OF_EVERY_ROLE, *_NOT_THERE, "host-unknown"))
"""Ids of causes."""


class Causes(msgspec.Struct, frozen=True):
    """The causes that are there. ``down``: the same for roles that take no requests, under the id of why they don't."""

    present: tuple[Finding, ...] = ()
    down: tuple[Finding, ...] = ()

    def without(self, ids: Container[str]) -> Causes:
        """The others."""
        return Causes(
            tuple(each for each in self.present if each.id not in ids),
            tuple(each for each in self.down if each.id not in ids),
        )

    def of(self, finding: Finding) -> Finding | None:
        """What a finding follows from, to its root; None where it is a cause itself, or nothing is known to explain it."""
        cause, seen = finding, {finding.id}
        while (deeper := self._deeper(cause)) is not None and deeper.id not in seen:
            cause = deeper
            seen.add(cause.id)
        return None if cause is finding else cause

    def _deeper(self, finding: Finding) -> Finding | None:
        down = (each for each in self.down if each.role == finding.role and finding.id in _OF_WHAT_IS_DOWN)
        return next(down, None) or next((each for each in self.present if _explains(each, finding)), None)

    def instead_of(self, verdict: Red | Blocked) -> Red | Blocked:
        """A verdict without what only follows: the findings that are left, or else Blocked by their cause."""
        if isinstance(verdict, Blocked):
            return self._blocked(verdict)
        left = [each for each in verdict.findings if self.of(each) is None]
        if len(left) == len(verdict.findings):
            return verdict
        if errors_among(left):
            return Red(*left)
        first = verdict.findings[0]
        cause = self.of(first)
        return (
            Blocked(cause.id, f"{first.problem}; and that follows from: {cause.problem}")
            if cause
            else verdict
        )

    def _blocked(self, verdict: Blocked) -> Blocked:
        """By its root, where what it is blocked by is not red on its own."""
        if any(each.id == verdict.by and self.of(each) is None for each in self.present):
            return verdict
        roles = dict.fromkeys((None, *(each.role for each in (*self.down, *self.present))))
        symptoms = (Finding(id=verdict.by, problem="", impact="", fix="", role=role) for role in roles)
        found = [cause for symptom in symptoms if (cause := self.of(symptom))]
        # A role may be down because of another one, which is what the cause is about.
        root = next((cause for cause in found if cause in self.present), found[0] if found else None)
        return Blocked(root.id, verdict.missing) if root else verdict


def present(
    facts: Facts,
    settings: Settings,
    rules: Iterable[Finding],
    urls: Mapping[str, PublicUrl],
    network: Callable[[str], str],
) -> Causes:
    """The causes among a host's facts.

    ``rules`` is what the rules found, ``urls`` what the proxy routes to each role, ``network`` gives Docker's name of a shared network.
    """
    edge = settings.edge
    looks: list[Callable[[], Iterable[Finding]]] = [
        lambda: services.are_up_and_healthy(facts),
        lambda: services.each_service_runs_once(facts),
        lambda: services.are_on_their_networks(facts, network, settings),
        lambda: drift.containers_are_on_their_networks(facts, network),
        lambda: stores.they_are_reached(facts),
        lambda: database.lets_lago_in(facts),
        lambda: database_trouble.causes(facts),
        lambda: redis.answers_and_never_evicts(facts),
        lambda: redis_writes.takes_jobs(facts),
        lambda: schema.is_the_images(facts, settings),
        lambda: schema_structure.is_that_of_the_image(facts, settings),
        lambda: service.lets_lago_work(facts),
        lambda: worker.listens_where_the_api_enqueues(facts),
        lambda: proxy_host.proxy_speaks_with_docker(facts),
        lambda: proxy_host.proxy_accepts_its_certificate_file(facts),
    ]
    down = []
    for role, url in urls.items():
        if not serving(facts, role):
            why = availability.why_down(facts, role)
            down.append(
                Finding(id=why, role=role, problem=f"the {role} takes no requests", impact="", fix="")
            )
        # Another Traefik on the host says nothing about this deployment.
        if edge.proxy in ("", TRAEFIK):
            looks += [
                partial(traefik_routers.have_no_errors, facts, role, url),
                partial(traefik_routers.are_one_each, facts, role, url, edge),
                partial(traefik_routers.have_the_resolver, facts, role, url, edge),
                partial(traefik_routers.point_to_the_service, facts, role, url, edge),
            ]
    found = [each for each in rules if each.id in IDS]
    return Causes(tuple(errors_among(found + [each for look in looks for each in _seen(look)])), tuple(down))


def _seen(look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    try:
        return [each for each in look() if each.id in IDS]
    # What can't be judged, or breaks on these facts, is reported by its own check.
    except Exception:  # noqa: BLE001
        return []


def _explains(cause: Finding, finding: Finding) -> bool:
    follows = _OF_EVERY_ROLE.get(cause.id, {})
    if cause.id in _NOT_THERE:
        follows = follows | _OF_A_STORE_APART.get(cause.role, {})
    word = follows.get(finding.id)
    # What is blocked has the id of its cause alone, without a problem.
    if word is not None and (not finding.problem or word in finding.problem):
        return True
    if (cause.id, finding.id) == ("host-unknown", "store-not-reached"):
        return bool(set(_URL.findall(cause.problem)) & set(_URL.findall(finding.problem)))
    # Off the proxy's network alone, it still reaches its stores.
    if (cause.id, finding.id) == ("wrong-network", "store-not-reached"):
        return cause.role == finding.role and _SHARES_NO_NETWORK in cause.problem
    alike = cause.role is None or finding.role in (None, cause.role)
    return alike and finding.id in _OF_ITS_ROLE.get(cause.id, "").split()
