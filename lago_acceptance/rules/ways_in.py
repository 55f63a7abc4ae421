"""Rules about how browsers reach UI and API: by https, at the ports that are published, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import NO_PROXY, OTHER, Settings
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.traefik_labels import labels_of
from lago_acceptance.model.way_in import Address, Scope, is_address, published_as, way_in
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, public


@rule(phase=2, severity=Severity.WARNING)
def http_only(model: Model, settings: Settings) -> Iterator[Violation]:
    """Browsers reach Lago by https.

    Without a proxy that has a certificate, UI and API are reached over http: at localhost that is enough to try Lago out, in a
    LAN or on the internet anyone on the way reads passwords and API keys. Said once; the checks of routers, redirects and
    certificates don't apply.
    """
    way = way_in(model, settings)
    urls = [each for each in way.addresses if each.variable and each.scope > Scope.CONTAINERS]
    if (
        not urls
        or way.scope != max(each.scope for each in urls)
        or any(each.url.scheme == "https" for each in way.addresses)
    ):
        return
    first = max(urls, key=lambda each: each.scope)
    reached, read, fix = {
        Scope.MACHINE: (
            "only browsers on the server itself reach it",
            "nobody else can use it, and payment providers can't send it webhooks",
            "to let others in, give it a name and a proxy with a certificate",
        ),
        Scope.NETWORK: (
            "only browsers in its own network reach it",
            "passwords and API keys cross that network in clear text, and payment providers can't send it webhooks",
            "to encrypt it, put a proxy with a certificate in front of it",
        ),
    }.get(
        first.scope,
        (
            "everybody reaches it, unencrypted",
            "passwords and API keys cross the internet in clear text",
            "switch on https at the proxy, or put one with a certificate in front of it",
        ),
    )
    kind = "no proxy, http only" if way.plain else "http only"
    *names, last = dict.fromkeys(each.variable for each in urls)
    listed = f"{', '.join(names)} and {last}" if names else last
    yield Violation(
        service=first.service,
        at=first.at,
        problem=f"{kind}: {first.variable} is {first.url}, and {reached}",
        impact=read,
        fix=f"{fix}, and set {listed} to https URLs",
    )


@rule(phase=3, severity=Severity.WARNING, declared_only=True)
def no_way_in(model: Model, settings: Settings) -> Iterator[Violation]:
    """Something lets browsers in to API and front: a proxy, a router or a published port.

    A proxy elsewhere needs a port, or a network that it shares with them. Not judged where a platform adds its routes when it
    deploys.
    """
    front = front_proxy(model, settings)
    shown = front.kind not in (OTHER, NO_PROXY) or front.service or front.platform
    shared = {network.key for network in model.networks if network.external}
    closed = [
        service
        for service in public(model)
        if not (
            service.ports or service.network_mode or shared & service.networks.keys() or labels_of(service)
        )
    ]
    if shown or not closed or len(closed) < len(public(model)):
        return
    for service in closed:
        yield Violation(
            service=service,
            at=part(service),
            problem="nothing in this file lets browsers in: no published port, no proxy, no network that a proxy elsewhere shares",
            impact="nobody reaches it, unless what deploys it adds a way",
            fix="publish its port for a proxy on the host (127.0.0.1:PORT), put it on the network of a proxy in a container, "
            "or add a proxy to the file",
        )


@rule(phase=2, follows=("api-url-internal", "front-api-url-internal", "cors-front-url-internal"))
def url_port_not_published(model: Model, settings: Settings) -> Iterator[Violation]:
    """Where browsers reach Lago's own ports, the URLs have the ports that are published.

    Only judged for http URLs without a proxy. A name on port 80 may be served by a proxy on the host, and isn't judged.
    """
    way = way_in(model, settings)
    if not way.plain or any(service.network_mode for service in public(model)):
        return
    told: dict[tuple[str, int], list[tuple[Address, str]]] = {}
    for each in way.addresses:
        if each.variable and (why := _not_there(model, each)):
            told.setdefault((each.role, each.url.port), []).append((each, why))
    for uses in told.values():
        first, why = min(uses, key=lambda use: use[0].variable != "API_URL")
        names = " and ".join(dict.fromkeys(each.variable for each, _ in uses))
        yield Violation(
            service=first.service,
            at=first.at,
            problem=f"{names} {'is' if ' and ' not in names else 'are'} {first.url}, but {why}",
            impact="links to PDFs and logos lead nowhere"
            if names == "LAGO_API_URL"
            else "the page loads, but the API refuses its origin (CORS): every login fails"
            if first.role == FRONT
            else "the page loads, but every login fails",
            fix="write the published port into the URL, or publish the port of the URL",
        )


def _not_there(model: Model, address: Address) -> str:
    """Why nothing of its role answers at an address of Lago's own ports, "" where something may."""
    url, scope = address.url, address.scope
    own = model.of_role(address.role)
    ports = [(service, port) for service in model.services for port in service.ports]
    if not own or scope == Scope.CONTAINERS or url.scheme != "http":
        return ""
    here = [(service, port) for service, port in ports if url.port in published_as(port)]
    mine = [(service, port) for service, port in here if service in own]
    if mine:
        service, port = mine[0]
        others = [each for _, each in mine if not (each.loopback and scope > Scope.MACHINE)]
        return "" if others else f"{service.name} publishes it on {port.address} only{_line(model, service)}"
    if here:
        service = here[0][0]
        # A running container doesn't show a configuration that the compose file holds.
        passes_on = model.observed or any(mount.target.startswith("/etc/nginx") for mount in service.mounts)
        if service.role not in (API, FRONT) or passes_on:
            return ""
        return f"that is the port of {service.name}{_line(model, service)}"
    published = [(service, port) for service, port in ports if service in own]
    by_name = scope > Scope.MACHINE and not is_address(url.host)
    if not published or any(not published_as(port) for _, port in ports) or by_name and url.port in (80, 443):
        return ""
    service, port = published[0]
    return f"{service.name} is published on port {port.published}{_line(model, service)}"


def _line(model: Model, service: Service) -> str:
    path, line = model.source.place(part(service, "ports")) if model.source else ("", None)
    return f" ({path}:{line})" if line else ""
