"""Rules about what is said twice and differently: by the settings and the file, or by two deployments in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import NO_PROXY, OTHER, Settings
from lago_acceptance.core.urls import PublicUrl, ServiceUrl, public_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.derived import Said, own_said, value_of
from lago_acceptance.lago.versions import numbers_in
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.front_proxy import shown
from lago_acceptance.model.way_in import Scope, published_as, way_in
from lago_acceptance.rules import Violation, rule, violations
from lago_acceptance.rules.helpers import variable
from lago_acceptance.rules.helpers.hosts import url_of

# What a contradiction means where another rule takes the settings for right, and says so of the labels.
_SAID_BY = {
    "edge.http_entrypoint": ("unknown-entrypoint",),
    "edge.https_entrypoint": ("unknown-entrypoint", "router-tls-missing"),
    "edge.resolver": ("wrong-certresolver",),
    "edge.proxy_network": ("proxy-network-missing", "wrong-network"),
    "hosts.front": ("wrong-domain",),
    "hosts.api": ("wrong-domain", "api-url-internal"),
    "hosts.browser_api": ("wrong-domain", "front-api-url-internal"),
    "deployment.version": ("misleading-tag", "unknown-release"),
}


@rule(phase=2, severity=Severity.WARNING, declared_only=True)
def settings_contradict(model: Model, settings: Settings) -> Iterator[Violation]:
    """The settings file says of hosts, version, proxy, networks, entry points and resolver what the compose file says.

    Its entries are for what the deployment doesn't say itself. Where both say something, checks of a running deployment look
    where the settings point.
    """
    for entry in ("deployment.version", "hosts.front", "hosts.api", "hosts.browser_api", *_EDGE):
        given, own = value_of(settings, entry), own_said(model, entry)
        if not given or own is None or unknown(own.value) or not _differ(model, entry, given, own):
            continue
        if any(True for id in _SAID_BY.get(entry, ()) for _ in violations(id, model, settings)):
            continue
        table, _, field = entry.partition(".")
        yield Violation(
            at=own.at,
            problem=f"{entry} of the settings is {given}, but {own.by} says {own.value}",
            impact="checks of the running deployment expect what the settings say, and report what isn't wrong",
            fix=f"correct {field} in [{table}] of the settings file, or leave it out: the compose file says it",
        )


_EDGE = (
    "edge.proxy",
    "edge.http_entrypoint",
    "edge.https_entrypoint",
    "edge.resolver",
    "edge.proxy_network",
    "edge.gateway_network",
)


def _differ(model: Model, entry: str, given: str, own: Said) -> bool:
    if entry == "deployment.version":
        both = numbers_in(given), numbers_in(own.value)
        return all(both) and both[0] != both[1]
    if entry.startswith("hosts."):
        return _other_place(given, own.value)
    if entry == "edge.proxy":
        return own.value not in (OTHER, NO_PROXY) and given not in {each.kind for each in shown(model)}
    return given.lower() != own.value.lower()


def _other_place(given: str, own: str) -> bool:
    """Whether two hosts, or URLs, are different places; a host alone says nothing of port and path."""
    one, other = public_url(given), public_url(own)
    if one is None or other is None:
        return False
    return one.host != other.host or "://" in given and one != other


@rule(phase=2, severity=Severity.WARNING)
def two_deployments(model: Model, settings: Settings) -> Iterator[Violation]:
    """A file has one Lago: several services of the API are the same one, with one database and one public URL.

    Two with different databases and URLs are two deployments: each is judged better in a file of its own.
    """
    apis = [service for service in model.of_role(API) if model.starts(service)]
    for other in apis[1:]:
        first = apis[0]
        urls = [url for each in (first, other) if (url := url_of(each, "LAGO_API_URL"))]
        databases = [url for each in (first, other) if (url := url_of(each, "DATABASE_URL"))]
        if not _apart(urls, lambda url: (url.host, url.path)) or not _apart(
            databases, lambda url: (url.host, url.database)
        ):
            continue
        yield Violation(
            at=variable(other, "LAGO_API_URL"),
            problem=f"{first.name}{_line(model, first, 'LAGO_API_URL')} and {other.name} are two Lagos: their databases and public "
            "URLs differ",
            impact="they are judged as one, and what is said of one may be meant for the other",
            fix="give each a compose file of its own",
        )
        return


def _apart(urls: list[ServiceUrl], place: Callable[[ServiceUrl], tuple[str, str]]) -> bool:
    """Whether two URLs are known to be of two places."""
    places = {place(url) for url in urls}
    return len(places) == 2 and not any(unknown(part) for each in places for part in each)


@rule(phase=2, follows=("two-deployments", "wrong-domain", "url-port-not-published"))
def second_front_refused(model: Model, settings: Settings) -> Iterator[Violation]:
    """Every front is at the one origin that the API allows, which is in LAGO_FRONT_URL."""
    fronts = [service for service in model.of_role(FRONT) if model.starts(service)]
    allowed = _allowed(model)
    if len(fronts) < 2 or len(allowed) != 1:
        return
    (origin,) = allowed
    places = {service.name: _origins(model, settings, service) for service in fronts}
    if not any(origin in places[service.name] for service in fronts):
        return
    for service in fronts:
        if places[service.name] and origin not in places[service.name]:
            yield Violation(
                service=service,
                at=("services", service.name),
                problem=f"this front is at {min(places[service.name])}, and LAGO_FRONT_URL allows {origin} only",
                impact="its page loads, and every login there fails (CORS)",
                fix="remove this front, or serve it at the same name",
            )


def _allowed(model: Model) -> set[str]:
    urls = [
        public_url(value) for each in model.of_role(API) if "://" in (value := each.value("LAGO_FRONT_URL"))
    ]
    return {url.origin for url in urls if url and not unknown(url.host)}


def _origins(model: Model, settings: Settings, service: Service) -> set[str]:
    """Where a front is reached, by its routers or VIRTUAL_HOST, else by its published ports."""
    way = way_in(model, settings)
    named = {each.url.origin for each in way.addresses if each.service is service and each.role == FRONT}
    if named or not way.plain or not way.widest or way.scope not in (Scope.MACHINE, Scope.NETWORK):
        return named
    host = way.widest.url.host
    ports = [number for port in service.ports for number in published_as(port)]
    return {PublicUrl("http", host, number).origin for number in ports}


def _line(model: Model, service: Service, name: str) -> str:
    path, line = model.source.place(variable(service, name)) if model.source else ("", None)
    return f" ({path}:{line})" if line else ""
