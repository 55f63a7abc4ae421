"""Rules about proxies other than Traefik: what a Caddyfile, nginx's configuration or nginx-proxy's variables lead to."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import CADDY, NGINX, NGINX_PROXY, Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.ports import listens_on, shown_ports
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.from_compose import inline_config_path
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.proxy_files import ProxyFiles, Target, proxy_files
from lago_acceptance.model.way_in import Address, Scope, virtual_hosts, way_in
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import part, public, variable
from lago_acceptance.rules.helpers.hosts import joinable, named, reachable

_OWN = ("localhost", "127.0.0.1")
_WORDS = {CADDY: "Caddy", NGINX: "nginx"}


@rule(phase=3, declared_only=True)
def proxy_leads_nowhere(model: Model, settings: Settings) -> Iterator[Violation]:
    """Caddy and nginx pass requests on to services that exist, on the ports on which they listen, for the hosts in Lago's URLs.

    Read from the Caddyfile or nginx's configuration that the deployment's own proxy, or the front, mounts from the project's
    folder. What is in other files, or depends on variables of the proxy, isn't judged.
    """
    front = front_proxy(model, settings)
    proxies = [front.service] if front.service and front.kind in _WORDS else []
    for service in (*proxies, *model.of_role(FRONT)):
        files = proxy_files(model, service)
        if files is None:
            continue
        for target in files.targets:
            if problem := _astray(model, service, target, files):
                yield _at(service, target, problem)
        if service in proxies:
            yield from _left_out(model, settings, service, files, _WORDS[front.kind])


def _at(service: Service, target: Target, problem: tuple[str, str, str]) -> Violation:
    what, impact, fix = problem
    at = _line_of(target.path, target.line)
    return Violation(service=service, at=at, problem=what, impact=impact, fix=fix)


def _line_of(path: str, line: int) -> tuple[str | int, ...]:
    """A line of a mounted file; of one that the compose file holds, its key."""
    inline = inline_config_path("")
    return ("configs", path.removeprefix(inline)) if path.startswith(inline) else ("file", path, line)


def _astray(model: Model, proxy: Service, target: Target, files: ProxyFiles) -> tuple[str, str, str] | None:
    """What is wrong with a target: (problem, impact, fix)."""
    where = f"{target.host}:{target.port}"
    if target.host in _OWN:
        meant = next((each for each in public(model) if listens_on(each, model) == target.port), None)
        if (
            proxy.network_mode
            or proxy.role
            or meant is None
            or any(each.target == target.port for each in proxy.ports)
        ):
            return None
        return (
            f"it sends requests to {where}, which is the container of {proxy.name} itself",
            "502 Bad Gateway: nothing listens there",
            f"write {meant.name}:{target.port}",
        )
    partners = named(model, target.host)
    if not partners:
        outside = any(joinable(model, each) for each in model.networks if each.key in proxy.networks)
        if "." in target.host or outside or proxy.network_mode or target.host in proxy.extra_hosts:
            return None
        services = ", ".join(each.name for each in public(model))
        return (
            f"it sends requests to {where}, and no service has that name",
            "502 Bad Gateway; nginx doesn't even start (host not found in upstream)",
            f"write the name of a service: {services}" if services else "write the name of a service",
        )
    partner = partners[0]
    if not any(reachable(model, proxy, each) for each in partners):
        return (
            f"it sends requests to {where}, but {proxy.name} shares no network with {partner.name}",
            "the name doesn't resolve: 502 Bad Gateway",
            "put both on one network",
        )
    ports = [listens_on(each, model) for each in partners]
    if None in ports or target.port in ports:
        return None
    return (
        f"it sends requests to {where}, but {partner.name} listens on {ports[0]}",
        "502 Bad Gateway: connection refused",
        f"write {target.host}:{ports[0]}",
    )


def _left_out(
    model: Model, settings: Settings, proxy: Service, files: ProxyFiles, name: str
) -> Iterator[Violation]:
    """Hosts in Lago's URLs, and services of Lago's, that the proxy's files don't have."""
    if not files.whole or not files.places:
        return
    path, line = files.places[0]
    at = _line_of(path, line)
    missing: dict[str, list[Address]] = {}
    for each in way_in(model, settings).addresses:
        if each.variable and each.scope > Scope.CONTAINERS and not files.serves(each.url.host):
            missing.setdefault(each.url.host, []).append(each)
    for host, uses in missing.items():
        names = " and ".join(dict.fromkeys(each.variable for each in uses))
        place, number = model.source.place(uses[0].at) if model.source else ("", None)
        yield Violation(
            service=proxy,
            at=at,
            problem=f"{name} has no site for {host}, the host of {names}"
            + (f" ({place}:{number})" if number else ""),
            impact=f"nothing of Lago answers at https://{host}",
            fix=f"add {host} to {name}'s configuration, or write the name that it serves into {names}",
        )
    reached = [each for target in files.targets for each in named(model, target.host)]
    passing = any(proxy_files(model, each) for each in model.of_role(FRONT))
    hosts = {each.url.host for each in way_in(model, settings).addresses}
    for service in public(model):
        open_elsewhere = any(not port.loopback for port in service.ports) or service.role == API and passing
        if service in reached or not files.targets or missing or open_elsewhere or not hosts:
            continue
        if any(each.role == service.role for each in reached):
            continue
        yield Violation(
            service=proxy,
            at=at,
            problem=f"{name} passes no request on to {service.name}",
            impact="the page loads, but every login fails: /graphql and /api never reach the API"
            if service.role == API
            else "nobody sees the page",
            fix=f"send the {'API' if service.role == API else 'front'}'s host or paths to "
            f"{service.name}:{listens_on(service, model) or 'PORT'}",
        )


@rule(phase=3, follows=("proxy-leads-nowhere",))
def virtual_host_wrong(model: Model, settings: Settings) -> Iterator[Violation]:
    """Behind nginx-proxy, API and front have the host of their URL in VIRTUAL_HOST, and their own port in VIRTUAL_PORT.

    Without VIRTUAL_PORT it connects to the one port that the container exposes, else to 80.
    """
    if front_proxy(model, settings).kind != NGINX_PROXY:
        return
    passing = any(
        mount.target.startswith("/etc/nginx") for each in model.of_role(FRONT) for mount in each.mounts
    )
    for service in public(model):
        if service.value("VIRTUAL_HOST_MULTIPORTS") or service.environment_elsewhere:
            continue
        if not service.value("VIRTUAL_HOST"):
            if service.ports or service.role == API and passing:
                continue
            yield Violation(
                service=service,
                at=part(service, "environment"),
                problem="it has no VIRTUAL_HOST, so nginx-proxy doesn't serve it",
                impact="503 Service Temporarily Unavailable at its public name",
                fix="set VIRTUAL_HOST to its public name, and VIRTUAL_PORT to its own port (the API's is 3000, the front's 80)",
            )
            continue
        yield from _wrong_port(service, model)
        yield from _wrong_name(service, model, settings)


def _wrong_port(service: Service, model: Model) -> Iterator[Violation]:
    given, right = service.value("VIRTUAL_PORT"), listens_on(service, model)
    if right is None or unknown(given):
        return
    ports = shown_ports(service)
    used = given or str(ports[0] if len(ports) == 1 else 80)
    if used != str(right):
        yield Violation(
            service=service,
            at=variable(service, "VIRTUAL_PORT" if given else "VIRTUAL_HOST"),
            problem=f"nginx-proxy connects to port {used}{'' if given else ' (VIRTUAL_PORT is not set)'}, but it listens on "
            f"{right}",
            impact="502 Bad Gateway at its public name",
            fix=f'set VIRTUAL_PORT: "{right}"',
        )


def _wrong_name(service: Service, model: Model, settings: Settings) -> Iterator[Violation]:
    written, hosts = service.value("VIRTUAL_HOST"), virtual_hosts(service)
    if unknown(written) or len(hosts) != len([each for each in written.split(",") if each.strip()]):
        return
    others = {host: other for other in public(model) if other is not service for host in virtual_hosts(other)}
    both = next((host for host in hosts if host in others and not service.value("VIRTUAL_PATH")), None)
    if both and not others[both].value("VIRTUAL_PATH") and service.role == API:
        yield Violation(
            service=service,
            at=variable(service, "VIRTUAL_HOST"),
            problem=f"{service.name} and {others[both].name} both have the VIRTUAL_HOST {both}, without a VIRTUAL_PATH",
            impact="nginx-proxy sends requests to the two in turn: every other one fails",
            fix="give the API a name of its own, or a VIRTUAL_PATH",
        )
        return
    names = [host.partition(":")[0].lower() for host in hosts]
    asked: dict[str, list[Address]] = {}
    for each in way_in(model, settings).of(service.role or ""):
        if each.variable.endswith("URL") and each.url.host not in names and each.url.host not in others:
            asked.setdefault(each.url.host, []).append(each)
    for host, uses in asked.items():
        place, number = model.source.place(uses[0].at) if model.source else ("", None)
        yield Violation(
            service=service,
            at=variable(service, "VIRTUAL_HOST"),
            problem=f"VIRTUAL_HOST is {written}, but {' and '.join(dict.fromkeys(each.variable for each in uses))} "
            f"{'has' if len(uses) == 1 else 'have'} the host {host}"
            + (f" ({place}:{number})" if number else ""),
            impact=f"503 Service Temporarily Unavailable at https://{host}",
            fix="write the same name into both",
        )
