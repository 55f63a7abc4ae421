"""Rules about Traefik's labels: what would be routed where, under which name and certificate."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.findings import Severity
from lago_acceptance.model import Model, Service
from lago_acceptance.roles import API, DB, FRONT, REDIS
from lago_acceptance.rules import Hit, rule
from lago_acceptance.rules.looking import internal, part, proxy_networks, url_of, variable
from lago_acceptance.settings import Settings
from lago_acceptance.traefik import Router, disabled, enabled, labels_of, proxy, routers, services_of
from lago_acceptance.values import unknown

PORTS = {API: "3000", FRONT: "80"}


def public(model: Model) -> tuple[Service, ...]:
    """The services that the world reaches: API and front."""
    return model.of_role(API, FRONT)


def all_routers(model: Model) -> list[Router]:
    """Every router of API and front."""
    return [router for service in public(model) for router in routers(service)]


def _behind_proxy(model: Model, settings: Settings) -> bool:
    names = proxy_networks(model, settings)
    on_network = any(
        model.network_name(key) in names for service in public(model) for key in service.networks
    )
    return (
        on_network or proxy(model, settings).inside or any(labels_of(service) for service in model.services)
    )


_OTHER_PROXY = re.compile(
    r"(^|/)(caddy|nginx|openresty|haproxy|envoy|cloudflared|swag|nginx-proxy-manager|tailscale)\b|/nginx"
)


def _behind_another(model: Model) -> bool:
    """Whether something else than Traefik's labels leads to Lago: the file's own proxy, or the
    names that Coolify, nginx-proxy and caddy-docker-proxy look for.
    """
    if model.observed or any(labels_of(service) for service in model.services):
        return False
    own = any(
        service.role is None and _OTHER_PROXY.search(service.image.partition("@")[0])
        for service in model.services
    )
    return own or any(
        name.startswith(("SERVICE_FQDN_", "SERVICE_URL_", "VIRTUAL_HOST", "caddy"))
        for service in public(model)
        for name in (*service.environment, *service.labels)
    )


@rule("traefik-labels-missing", phase=3)
def labels_missing(model: Model, settings: Settings) -> Iterator[Hit]:
    """API and front carry the labels by which Traefik finds them, and say traefik.enable=true.

    Not judged where the file brings another proxy along, where Coolify adds the labels itself, or where labels
    of Caddy or variables of nginx-proxy do what they do.
    """
    if _behind_another(model):
        return
    reached_otherwise = any(port for service in public(model) for port in service.ports)
    for service in public(model):
        labels = labels_of(service)
        if not labels:
            others = any(labels_of(each) for each in public(model))
            if others and service.role == API:
                continue
            if _behind_proxy(model, settings) or not reached_otherwise and not model.observed:
                yield Hit(
                    service=service,
                    at=part(service),
                    wrong="it has no labels of Traefik",
                    leads_to="Traefik doesn't see it: 404 at its public name",
                    mend="add traefik.enable and a router, as in docker-compose.lago.yml",
                )
        elif disabled(service) and (routers(service) or service.role == FRONT):
            yield Hit(
                service=service,
                at=part(service, "labels", "traefik.enable"),
                wrong=f"traefik.enable is {labels['traefik.enable']}, which isn't true",
                leads_to="Traefik leaves it out: 404 at its public name",
                mend='traefik.enable: "true"',
            )
        elif service.labels_for_swarm:
            yield Hit(
                service=service,
                at=part(service, "deploy", "labels"),
                severity=Severity.WARNING,
                wrong="its labels are under deploy, where only Swarm reads them",
                leads_to="brought up by `docker compose` it is unknown to Traefik: 404 at its public name",
                mend="move them to the service's own labels, unless it is deployed to a swarm",
            )
        elif any(".routers." in key for key in labels) and "traefik.enable" not in labels:
            yield Hit(
                service=service,
                at=part(service, "labels"),
                wrong="it has routers, but not traefik.enable=true",
                severity=Severity.WARNING,
                leads_to="a Traefik that exposes only what asks for it doesn't see it: 404 at its "
                "public name",
                mend='traefik.enable: "true"',
            )


_RULE_TOKEN = re.compile(r"\s+|(?P<matcher>[A-Za-z]+\([\s`,]*\))|(?P<sign>&&|\|\||[!()])|(?P<other>.)")


def _readable(rule: str) -> bool:
    """Whether a rule is one: matchers of quoted names, joined by && and ||. What the deploy gives isn't judged."""
    bare = re.sub(r"`[^`]*`|\"[^\"]*\"", "`", rule)
    open_brackets, wanted = 0, True
    for found in _RULE_TOKEN.finditer(bare):
        token = found["sign"] or ("matcher" if found["matcher"] else "")
        if found["other"] or token and (token in ("matcher", "!", "(")) is not wanted:
            return unknown(bare)
        open_brackets += (token == "(") - (token == ")")
        wanted = wanted if token in ("", "!", "(", ")") else token != "matcher"
        if open_brackets < 0:
            return False
    return not wanted and not open_brackets


@rule("no-router-labels", phase=3)
def no_router(model: Model, settings: Settings) -> Iterator[Hit]:
    """What is shown to Traefik has a router with a rule."""
    for service in public(model):
        mine = routers(service)
        for router in mine:
            if router.rule and not _readable(router.rule):
                yield Hit(
                    service=service,
                    at=router.label("rule"),
                    wrong=f"Traefik can't read the rule of router {router.name}",
                    leads_to="Traefik drops the router: 404 at its public name",
                    mend="write names in backquotes: Host(`...`), and close each bracket",
                )
        if enabled(service) and not any(router.rule for router in mine):
            yield Hit(
                service=service,
                at=part(service, "labels"),
                wrong="traefik.enable is true, but no router says which name it answers to",
                leads_to="Traefik makes up a rule from the container's name: 404 at its public name",
                mend="add traefik.http.routers.<name>.rule: Host(`...`)",
            )


@rule("api-router-missing", phase=3)
def api_router(model: Model, settings: Settings) -> Iterator[Hit]:
    """The API has a router where the front has one."""
    fronts = [service for service in model.of_role(FRONT) if routers(service)]
    apis = model.of_role(API)
    for service in apis[:1] if fronts and not any(routers(each) for each in apis) else ():
        if not enabled(service):
            yield Hit(
                service=service,
                at=part(service),
                wrong="the front has a router and the API has none",
                leads_to="the page loads, and everything that it asks the API for fails",
                mend=f"add a router for Host(`{settings.hosts.api}`) to the API",
            )


@rule("router-service-not-linked", phase=3)
def not_linked(model: Model, settings: Settings) -> Iterator[Hit]:
    """Each router is linked to one service of Traefik.

    A container that defines several services leaves a router without `.service` unlinked, and Traefik drops
    it; a router that names a service which nobody defines is dropped too.
    """
    defined = {name for service in model.services for name in services_of(service)}
    for service in model.services:
        own = services_of(service)
        for router in routers(service):
            if not router.service and len(own) > 1:
                yield Hit(
                    service=service,
                    at=router.label("rule"),
                    wrong=f"router {router.name} doesn't say which of {', '.join(own)} it means",
                    leads_to="Traefik drops it (cannot be linked automatically with multiple Services): 404",
                    mend=f"traefik.http.routers.{router.name}.service: {own[0]}",
                )
            elif (
                router.service
                and "@" not in router.service
                and router.service.lower() not in defined
                and not unknown(router.service)
            ):
                if not own and router.service.lower() in (
                    service.name.lower(),
                    f"{service.name}-{model.project}".lower(),
                ):
                    continue
                yield Hit(
                    service=service,
                    at=router.label("service"),
                    wrong=f"router {router.name} names the service {router.service}, which no label defines",
                    leads_to="Traefik drops the router: 404 at its public name",
                    mend=f"define traefik.http.services.{router.service}.loadbalancer.server.port",
                )


@rule("router-wrong-port", phase=3)
def wrong_port(model: Model, settings: Settings) -> Iterator[Hit]:
    """Traefik talks to the port on which the service listens: 3000 for the API, 80 for the front."""
    for service in public(model):
        wanted = service.value("PORT") or PORTS[API] if service.role == API else PORTS[FRONT]
        for key, value in labels_of(service).items():
            if key.endswith(".loadbalancer.server.port") and value != wanted and not unknown(value):
                yield Hit(
                    service=service,
                    at=part(service, "labels", key),
                    wrong=f"Traefik is sent to port {value}; it listens on {wanted}",
                    leads_to="502 Bad Gateway at its public name",
                    mend=f"{key}: {wanted}",
                )


@rule("wrong-certresolver", phase=3)
def wrong_resolver(model: Model, settings: Settings) -> Iterator[Hit]:
    """The certificate resolver is one that the running Traefik has."""
    known = proxy(model, settings)
    for router in all_routers(model):
        if (
            router.resolver
            and (router.resolver.lower() if known.inside else router.resolver) not in known.resolvers
            and not unknown(router.resolver)
            and (known.resolvers or not known.inside)
        ):
            yield Hit(
                service=router.owner,
                at=router.label("tls.certresolver"),
                wrong=f"router {router.name} asks the resolver {router.resolver}; Traefik has "
                f"{', '.join(sorted(known.resolvers))}",
                leads_to="Traefik serves its own default certificate: browsers refuse the page",
                mend=f"tls.certresolver: {min(known.resolvers)}",
            )


@rule("unknown-entrypoint", phase=3)
def unknown_entrypoint(model: Model, settings: Settings) -> Iterator[Hit]:
    """Routers name entry points that the running Traefik has."""
    known = proxy(model, settings)
    for router in all_routers(model) if known.complete else ():
        strange = [
            name for name in router.entrypoints if name.lower() not in known.entrypoints and not unknown(name)
        ]
        if strange:
            yield Hit(
                service=router.owner,
                at=router.label("entrypoints"),
                wrong=f"router {router.name} listens on {', '.join(strange)}; Traefik has "
                f"{', '.join(sorted(known.entrypoints))}",
                leads_to="Traefik drops the router: 404 at its public name",
                mend=f"entrypoints: {known.https}",
            )


def _https(router: Router, entrypoint: str) -> bool:
    return entrypoint in [name.lower() for name in router.entrypoints] or (
        not router.entrypoints and router.tls
    )


def _plain_only(model: Model, settings: Settings) -> Iterator[Hit]:
    """The services whose routers all listen on the http entry point alone, without sending anybody to https."""
    known = proxy(model, settings)
    every = [router for service in model.services for router in routers(service)]
    secured = {host for router in every if _https(router, known.https) for host in router.hosts}
    for service in public(model):
        mine = [router for router in routers(service) if router.rule and not disabled(service)]
        lost = [router for router in mine if router.hosts and not set(router.hosts) & secured]
        if (
            lost
            and len(lost) == len(mine)
            and all([point.lower() for point in router.entrypoints] == [known.http] for router in mine)
        ):
            yield Hit(
                service=service,
                at=lost[0].label("rule"),
                wrong=f"its routers listen on {known.http} alone: nothing answers to https://{lost[0].hosts[0]}",
                leads_to="404 for https, which is all that browsers try",
                mend=f"add a router on {known.https} with tls.certresolver: {settings.edge.resolver}",
            )


@rule("router-tls-missing", phase=3)
def no_tls(model: Model, settings: Settings) -> Iterator[Hit]:
    """A router on the https entry point has TLS and a resolver, unless the proxy of the file gives both to all."""
    known = proxy(model, settings)
    yield from _plain_only(model, settings) if not known.inside else ()
    for router in all_routers(model) if not known.inside else ():
        if not _https(router, known.https):
            continue
        if not router.tls:
            yield Hit(
                service=router.owner,
                at=router.label("entrypoints"),
                wrong=f"router {router.name} listens on {known.https} without TLS",
                leads_to="404 for https, which is all that browsers try",
                mend=f'traefik.http.routers.{router.name}.tls: "true"',
            )
        elif not router.resolver:
            key = f"traefik.http.routers.{router.name}.tls.domains"
            if not any(label.startswith(key) for label in labels_of(router.owner)):
                yield Hit(
                    service=router.owner,
                    at=router.label("tls"),
                    wrong=f"router {router.name} has TLS and no certificate resolver",
                    severity=Severity.WARNING,
                    leads_to="Traefik serves its default certificate, unless it has another one for "
                    "that name",
                    mend=f"tls.certresolver: {settings.edge.resolver}",
                )


@rule("http-not-redirected", phase=3, severity=Severity.WARNING)
def not_redirected(model: Model, settings: Settings) -> Iterator[Hit]:
    """http redirects to https, by labels of its own: the entry points of the running Traefik don't do it."""
    known = proxy(model, settings)
    every = [router for service in model.services for router in routers(service)]
    if known.redirects:
        return
    for service in public(model):
        secured = [router for router in routers(service) if _https(router, known.https) and router.rule]
        missing = sorted(
            {host for router in secured for host in router.hosts} - _redirected(model, every, known.http)
        )
        if secured and missing:
            yield Hit(
                service=service,
                at=secured[0].label("rule"),
                wrong=f"no router redirects http://{missing[0]} to https",
                leads_to="who types the name without https gets 404 or an unencrypted page",
                mend=f"add a router on {known.http} with a redirectscheme middleware",
            )


def _redirected(model: Model, every: list[Router], entrypoint: str) -> set[str]:
    redirecting = {
        key.split(".")[3]
        for service in model.services
        for key in labels_of(service)
        if key.startswith("traefik.http.middlewares.")
        and (".redirectscheme." in key or ".redirectregex." in key)
    }
    for service in model.services:
        for key, value in labels_of(service).items():
            chained = {name.strip().partition("@")[0].lower() for name in value.split(",")}
            if key.endswith(".chain.middlewares") and chained & redirecting:
                redirecting.add(key.split(".")[3])
    hosts: set[str] = set()
    for router in every:
        names = [name.partition("@") for name in router.middlewares]
        redirects = any(
            name.lower() in redirecting or (at and "docker" not in provider) for name, at, provider in names
        )
        if redirects and (entrypoint in router.entrypoints or not router.entrypoints):
            hosts |= set(router.hosts)
            if "hostregexp" in router.rule.lower() or "pathprefix(`/`)" in router.rule.lower().replace(
                " ", ""
            ):
                hosts |= {host for other in every for host in other.hosts}
    return hosts


@rule("duplicate-router", phase=3)
def duplicate_router(model: Model, settings: Settings) -> Iterator[Hit]:
    """A router's name, and a host on an entry point, belong to one service."""
    names: dict[str, Router] = {}
    claims: dict[tuple[str, str, str], Router] = {}
    for service in model.services:
        for router in routers(service):
            first = names.setdefault(router.name, router)
            if first.owner is not service and (first.rule, first.service) != (router.rule, router.service):
                yield Hit(
                    service=service,
                    at=router.label("rule"),
                    wrong=f"router {router.name} is defined by {first.owner.name} too, in another way",
                    leads_to="Traefik drops both (Router defined multiple times with different "
                    "configurations): 404",
                    mend="give each router a name of its own",
                )
            for entrypoint in router.entrypoints or ("every entry point",):
                before = claims.setdefault((router.rule.replace(" ", ""), entrypoint, ""), router)
                if router.rule and before.owner is not service and before.name != router.name:
                    yield Hit(
                        service=service,
                        at=router.label("rule"),
                        wrong=f"its router {router.name} has the same rule on {entrypoint} as "
                        f"{before.owner.name}'s {before.name}",
                        leads_to="Traefik sends requests to one of them, which one is chance",
                        mend="one router per host and entry point",
                    )


def _named_hosts(router: Router) -> list[str]:
    return [host for host in router.hosts if not unknown(host)]


@rule("wrong-domain", phase=3)
def wrong_domain(model: Model, settings: Settings) -> Iterator[Hit]:
    """Routers answer to the names that the URLs use, and to those that the settings name.

    A router for another name than the one in LAGO_API_URL, API_URL or LAGO_FRONT_URL is a name that nobody
    types.
    """
    for role, names, expected in (
        (API, ("LAGO_API_URL",), settings.hosts.api),
        (FRONT, ("LAGO_FRONT_URL",), settings.hosts.front),
    ):
        served = [
            host
            for service in model.of_role(role)
            for router in routers(service)
            for host in _named_hosts(router)
        ]
        holders = [(service, name) for service in model.of_role(API) for name in names]
        if role == API:
            holders += [(service, "API_URL") for service in model.of_role(FRONT)]
        everything = [
            host for service in model.services for router in routers(service) for host in _named_hosts(router)
        ]
        disagreeing = False
        for service, name in holders:
            url = url_of(service, name)
            if (
                url
                and url.host
                and served
                and not internal(url.host)
                and not unknown(url.host)
                and url.host.lower() not in served
            ):
                if any(
                    router.rule.startswith("HostRegexp")
                    for each in model.of_role(role)
                    for router in routers(each)
                ):
                    continue
                if (
                    url.host.lower() in everything
                    and "/" in url.path.strip("/") + "/"
                    and url.path.strip("/")
                ):
                    continue
                disagreeing = True
                yield Hit(
                    service=service,
                    at=variable(service, name),
                    wrong=f"{name} says {url.host}, but the {role}'s routers answer to "
                    f"{', '.join(sorted(set(served)))}",
                    leads_to="404 at the one name, and nobody uses the other",
                    mend="write both from one variable",
                )
        if (
            served
            and not disagreeing
            and expected
            and expected.lower() not in served
            and not any(map(_template, served))
        ):
            owner = next(service for service in model.of_role(role) if routers(service))
            router = routers(owner)[0]
            yield Hit(
                service=owner,
                at=router.label("rule"),
                severity=Severity.WARNING,
                wrong=f"its routers answer to {', '.join(sorted(set(served)))}; in production it is "
                f"called {expected}",
                leads_to=f"404 at {expected}",
                mend=f"Host(`{expected}`), or another [hosts] in the settings",
            )


def _template(host: str) -> bool:
    return host.endswith(
        (".example.com", ".example.org", ".example", ".test", ".localhost", ".local")
    ) or internal(host)


@rule("proxy-network-missing", phase=3)
def proxy_network(model: Model, settings: Settings) -> Iterator[Hit]:
    """What has a router is on the network where the running Traefik looks, and says which one that is."""
    if proxy(model, settings).inside:
        return
    for service in public(model):
        if not any(router.rule for router in routers(service)) or service.network_mode:
            continue
        names = {model.network_name(key) for key in service.networks}
        label = service.labels.get("traefik.docker.network", "")
        if model.observed and label in names:
            continue
        external = {network.name for network in model.networks if network.external}
        if settings.edge.proxy_network not in names and not unknown(" ".join(names)):
            yield Hit(
                service=service,
                at=part(service, "networks"),
                severity=Severity.WARNING if names & external else None,
                wrong=f"it has a router, but it is not on {settings.edge.proxy_network}, where Traefik looks",
                leads_to="504 Gateway Timeout or 404 at its public name; 522 behind Cloudflare",
                mend=f"add the external network {settings.edge.proxy_network}",
            )
        elif len(names) > 1 and not label:
            yield Hit(
                service=service,
                at=part(service, "labels"),
                severity=Severity.WARNING,
                wrong="it is on several networks, and traefik.docker.network says not which one is Traefik's",
                leads_to="Traefik may take an address that it can't reach: 504, after some restarts "
                "and not after others",
                mend=f"traefik.docker.network: {settings.edge.proxy_network}",
            )


@rule("db-on-proxy-network", phase=3, severity=Severity.WARNING)
def database_on_proxy_network(model: Model, settings: Settings) -> Iterator[Hit]:
    """Database and Redis are not on the proxy's network, where every project of the host is."""
    networks = proxy_networks(model, settings)
    for service in model.of_role(DB, REDIS):
        shared = sorted(
            model.network_name(key) for key in service.networks if model.network_name(key) in networks
        )
        if shared:
            yield Hit(
                service=service,
                at=part(service, "networks"),
                wrong=f"it is on {shared[0]}, the network of the proxy and of every project behind it",
                leads_to="every container there can try its password, and names like `postgres` or "
                "`redis` answer to several projects",
                mend="put it on a network of Lago's own",
            )


@rule("db-routed", phase=3)
def database_routed(model: Model, settings: Settings) -> Iterator[Hit]:
    """Database and Redis have no router."""
    for service in model.of_role(DB, REDIS):
        if enabled(service) and any(".routers." in key for key in labels_of(service)):
            yield Hit(
                service=service,
                at=part(service, "labels"),
                wrong="Traefik routes requests from outside to it",
                leads_to="the database answers from the internet",
                mend="take the labels out",
            )
