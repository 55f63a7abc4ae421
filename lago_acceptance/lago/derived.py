"""What a deployment says of itself: the entries of a settings file, each with its source, where nobody wrote one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import msgspec

from lago_acceptance.core.roles import API, DB, FRONT, GATEWAY, LAGO_RUBY
from lago_acceptance.core.settings import FILE, TRAEFIK, Settings, default_file, load
from lago_acceptance.core.urls import PublicUrl, public_url
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.versions import numbers_in, tag_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.front_proxy import FrontProxy, front_proxy
from lago_acceptance.model.once import once
from lago_acceptance.model.traefik_labels import LabelRouter, disabled, network_labels, routers
from lago_acceptance.model.traefik_proxy import proxy
from lago_acceptance.model.traefik_routing import redirects
from lago_acceptance.model.way_in import DOMAIN


class Said(msgspec.Struct, frozen=True):
    """An entry of the settings, and what says its value: ``by`` in words, ``at`` as a YAML path of the compose file."""

    entry: str
    value: str
    by: str
    at: tuple[str | int, ...] = ()


class Unclear(msgspec.Struct, frozen=True):
    """An entry that nothing says, or that only the deploy's own platform knows, with the reason."""

    entry: str
    why: str


class Derived(msgspec.Struct, frozen=True):
    """The whole settings of a deployment; where each entry comes from; and what is not known."""

    settings: Settings
    said: tuple[Said, ...]
    unclear: tuple[Unclear, ...]


def belongs(settings: Settings, model: Model) -> bool:
    """Whether a settings file that nobody named is of this deployment: it has one of the file's host names or networks."""
    hosts = {settings.host(FRONT), settings.host(API), settings.host(GATEWAY)} - {""}
    own = {model.network_name(key) for each in model.services for key in each.networks}
    texts = (
        text
        for each in model.services
        for text in (*each.labels.values(), *(value or "" for value in each.environment.values()))
    )
    return settings.edge.gateway_network in own or any(host in text for text in texts for host in hosts)


def named_in(settings: Settings, files: Iterable[bytes]) -> bool:
    """Whether a settings file is of a deployment, by the texts of its files, where nothing resolves them."""
    names = {
        settings.host(FRONT),
        settings.host(API),
        settings.host(GATEWAY),
        settings.edge.gateway_network,
    } - {""}
    return any(name.encode() in text for text in files for name in names)


def given_for(path: Path | None, model: Model) -> tuple[Settings, str]:
    """What a settings file says of a deployment, and a remark where one that nobody named is of another deployment."""
    settings = load(path)
    if path or default_file() is None or belongs(settings, model):
        return settings, ""
    return (
        Settings(),
        f"{FILE} describes another deployment and is not used; --settings FILE names the right one",
    )


@once
def derived(model: Model, given: Settings) -> Derived:
    """The settings of a deployment: what is given, else what the deployment says of itself, else the defaults."""
    front = front_proxy(model, given)
    every = [*_place(model), *_urls(model), *_of_proxy(model, given, front), *_version(model)]
    own: dict[str, Said] = {}
    for each in every:
        if isinstance(each, Said):
            own.setdefault(each.entry, each)
    said: dict[str, Said] = {}
    for entry in ENTRIES:
        if value := value_of(given, entry):
            said[entry] = Said(entry, value, "the settings")
        elif entry in own:
            said[entry] = own[entry]
    unclear: dict[str, Unclear] = {}
    for each in every:
        if isinstance(each, Unclear) and each.entry not in said:
            unclear.setdefault(each.entry, each)
    return Derived(with_entries(given, said.values()), tuple(said.values()), tuple(unclear.values()))


ENTRIES = (
    "deployment.directory",
    "deployment.compose_file",
    "deployment.env_file",
    "deployment.version",
    "hosts.front",
    "hosts.api",
    "hosts.browser_api",
    "hosts.gateway",
    "edge.proxy",
    "edge.http_entrypoint",
    "edge.https_entrypoint",
    "edge.resolver",
    "edge.proxy_network",
    "edge.gateway_network",
)
"""What is derived, in the order of a settings file."""


def value_of(settings: Settings, entry: str) -> str:
    """An entry's value as text, "" where it isn't set."""
    table, _, field = entry.partition(".")
    return str(getattr(getattr(settings, table), field))


def own_said(model: Model, entry: str) -> Said | None:
    """What the deployment itself says of an entry, whatever the settings say."""
    return next((each for each in derived(model, NOTHING).said if each.entry == entry), None)


NOTHING = Settings()
"""What is given where nobody wrote a settings file; one value, so that what is derived from it is kept."""


def with_entries(given: Settings, said: Iterable[Said]) -> Settings:
    """Settings in which entries have the values that something says."""
    tables: dict[str, dict[str, str]] = {}
    for each in said:
        table, _, field = each.entry.partition(".")
        tables.setdefault(table, {})[field] = each.value
    changed = {
        table: msgspec.structs.replace(getattr(given, table), **fields) for table, fields in tables.items()
    }
    return msgspec.structs.replace(given, **changed)


# --- where it is on its host ---

_LABEL = "com.docker.compose.project."


def _place(model: Model) -> Iterator[Said | Unclear]:
    """Where Compose started what runs from, by the labels that it gives its containers. A file doesn't say where it will lie."""
    for service in model.of_role(*LAGO_RUBY, FRONT) if model.observed else ():
        folder = service.labels.get(f"{_LABEL}working_dir", "")
        if not folder.startswith("/"):
            continue
        for entry, name in (
            ("directory", "working_dir"),
            ("compose_file", "config_files"),
            ("env_file", "environment_file"),
        ):
            entry, label = f"deployment.{entry}", _LABEL + name
            at = ("services", service.name, "labels", label)
            values = [
                below(folder, each) for each in service.labels.get(label, "").split(",") if each.strip()
            ]
            if name == "working_dir":
                yield Said(
                    entry, folder.rstrip("/") or "/", f"the label {label} of {name_of(model, service)}", at
                )
            elif len(values) == 1:
                yield Said(entry, values[0], f"the label {label} of {name_of(model, service)}", at)
            elif name == "environment_file" and service.labels.get(f"{_LABEL}config_files"):
                yield Said(entry, ".env", "Compose's default, for no label names another")
            elif values:
                yield Unclear(
                    entry,
                    f"{name_of(model, service)} was started from {len(values)} files, {', '.join(values)}: write the one to deploy",
                )


def below(folder: str, path: str) -> str:
    """A path as it is written from a folder: short where it is below it."""
    path = path.strip()
    inside = PurePosixPath(folder)
    return (
        str(PurePosixPath(path).relative_to(inside)) if PurePosixPath(path).is_relative_to(inside) else path
    )


def name_of(model: Model, service: Service) -> str:
    """A service as messages name it: what runs by its container's name."""
    return f"container {service.container_name or service.name}" if model.observed else service.name


# --- names ---


HOLDERS = {
    "hosts.front": (API, "LAGO_FRONT_URL", "", FRONT),
    "hosts.api": (API, "LAGO_API_URL", "/api", API),
    "hosts.browser_api": (FRONT, "API_URL", "/api", API),
}
"""By entry: the role that has it in a variable, that variable, the path below LAGO_DOMAIN, and the role that is reached there."""


def _urls(model: Model) -> Iterator[Said | Unclear]:
    """Where the UI and the API are reached. A name that no router of the service has doesn't count where it has routers."""
    for entry, (_, _, _, served) in HOLDERS.items():
        found = list(by_variable(model, entry))
        names = routed(model, entry, served)
        known = {each.value for each in names}
        usable = [
            each
            for each in found
            if isinstance(each, Said)
            and (not known or host_of(each) in known or is_routed(model, host_of(each)))
        ]
        if entry == "hosts.browser_api" and usable:
            yield usable[0]
        elif entry != "hosts.browser_api":
            yield from usable[:1] or names[:1] or published(model, entry, served) or found[:1]


def host_of(said: Said) -> str:
    """The host in a URL that something says."""
    url = public_url(said.value)
    return url.host if url else ""


def is_routed(model: Model, host: str) -> bool:
    """Whether some router of the deployment takes a host name."""
    return any(host in router.hosts for service in model.services for router in routers(service))


def by_variable(model: Model, entry: str) -> Iterator[Said | Unclear]:
    """What the variables of the services say of a name, in their order."""
    role, variable, path, _ = HOLDERS[entry]
    for service in model.of_role(role):
        name = variable
        at: tuple[str, ...] = ("services", service.name, "environment", name)
        value = service.value(name)
        if domain := not value and service.value(DOMAIN):
            value, at, name = f"https://{domain}{path}", (*at[:-1], DOMAIN), DOMAIN
        if not value:
            continue
        url = public_url(value) if "://" in value else None
        if unknown(value):
            yield Unclear(
                entry, f"{name} of {name_of(model, service)} has a variable that only the deploy knows"
            )
        elif url and _is_public(model, url):
            yield Said(entry, str(url), f"{name} of {name_of(model, service)}", at)


def _is_public(model: Model, url: PublicUrl) -> bool:
    """Whether a URL is none that only containers of the deployment can resolve."""
    names = {each.name for each in model.services} | {
        alias for each in model.services for aliases in each.networks.values() for alias in aliases
    }
    return url.host not in names


def routed(model: Model, entry: str, role: str) -> list[Said]:
    """The names that routers of a role's services take."""
    return [
        Said(entry, host, f"the router {router.name} of {name_of(model, service)}", router.label("rule"))
        for service in model.of_role(role)
        if not disabled(service)
        for router in routers(service)
        if not redirects(model, router)
        for host in router.hosts
        if not unknown(host) and "/" not in host
    ]


def published(model: Model, entry: str, role: str) -> list[Said]:
    """A port of the host, where a service has neither a name nor a router."""
    return [
        Said(
            entry,
            str(PublicUrl("http", "localhost", int(port.published))),
            f"the published port {port.published} of {name_of(model, service)}",
            ("services", service.name, "ports"),
        )
        for service in model.of_role(role)
        for port in service.ports
        if port.published.isdigit() and int(port.published)
    ]


# --- the proxy ---


def _of_proxy(model: Model, given: Settings, front: FrontProxy) -> Iterator[Said | Unclear]:
    yield Said("edge.proxy", front.kind, front.by, front.at)
    yield from _gateway_network(model)
    if front.kind != TRAEFIK:
        return
    known = proxy(model, given)
    if known.complete:
        where = (
            f"the options of {name_of(model, front.service)}"
            if front.service
            else "the platform's own Traefik"
        )
        for entry, value in (("http_entrypoint", known.http), ("https_entrypoint", known.https)):
            if value:
                yield Said(f"edge.{entry}", value, where, front.at)
    yield from _entry_points(model)
    used = [(each.resolver, each) for each in _routers(model) if each.resolver and not unknown(each.resolver)]
    yield from _most(model, (("edge.resolver", value, router, "tls.certresolver") for value, router in used))
    if len(known.resolvers) == 1:
        (name,) = known.resolvers
        yield Said("edge.resolver", name, "the proxy's only certificate resolver", front.at)
    yield from _proxy_network(model, front)


def _routers(model: Model) -> list[LabelRouter]:
    return [
        router
        for service in model.of_role(API, FRONT)
        if not disabled(service)
        for router in routers(service)
        if router.rule
    ]


def _entry_points(model: Model) -> Iterator[Said]:
    """As most routers of API and front use them: with TLS for https, with a redirect and without TLS for http."""
    plain: list[tuple[str, LabelRouter]] = []
    secured: list[tuple[str, LabelRouter]] = []
    for router in _routers(model):
        known = [name for name in router.entrypoints if not unknown(name)]
        if len(known) != 1:
            continue
        (secured if router.tls else plain).append((known[0], router))
    yield from _most(
        model, (("edge.https_entrypoint", name, router, "entrypoints") for name, router in secured)
    )
    yield from _most(model, (("edge.http_entrypoint", name, router, "entrypoints") for name, router in plain))


def _most(model: Model, seen: Iterable[tuple[str, str, LabelRouter, str]]) -> Iterator[Said]:
    """The value that most labels have."""
    every = list(seen)
    counted = Counter(value for _, value, _, _ in every)
    for value, _ in counted.most_common(1):
        entry, _, router, option = next(each for each in every if each[1] == value)
        yield Said(
            entry, value, f"the router {router.name} of {name_of(model, router.owner)}", router.label(option)
        )


def _proxy_network(model: Model, front: FrontProxy) -> Iterator[Said]:
    """The network that the labels name; else the one that API and front share with the proxy, or with other projects."""
    own = model.of_role(API, FRONT)
    for service in own:
        for label, named in network_labels(service).items():
            if unknown(named):
                continue
            yield Said(
                "edge.proxy_network",
                named,
                f"the label {label} of {name_of(model, service)}",
                ("services", service.name, "labels", label),
            )
    if front.service:
        shared = _networks(model, front.service) & _of_each(model, own)
    else:
        external = {network.name for network in model.networks if network.external or model.observed}
        shared = external & _of_each(model, own) - {
            name for each in model.of_role(DB) for name in _networks(model, each)
        }
    if len(shared) == 1:
        (name,) = shared
        yield Said(
            "edge.proxy_network", name, f"the network of {' and '.join(name_of(model, each) for each in own)}"
        )


def _networks(model: Model, service: Service) -> set[str]:
    return {model.network_name(key) for key in service.networks}


def _of_each(model: Model, services: Iterable[Service]) -> set[str]:
    found = [_networks(model, each) for each in services]
    return set.intersection(*found) if found else set()


def _gateway_network(model: Model) -> Iterator[Said]:
    for gateway in model.of_role(GATEWAY):
        shared = _networks(model, gateway) & _of_each(model, model.of_role(API))
        if shared:
            yield Said(
                "edge.gateway_network", min(shared), f"the network of {name_of(model, gateway)} and the API"
            )


# --- the version ---


def _version(model: Model) -> Iterator[Said | Unclear]:
    for service in (*model.of_role(API), *model.of_role(*LAGO_RUBY)):
        tag = tag_of(service)
        if unknown(service.image):
            yield Unclear(
                "deployment.version",
                f"the image of {name_of(model, service)} has a variable that only the deploy knows",
            )
        elif numbers_in(tag) and "lago-acceptance/" not in service.image:
            yield Said(
                "deployment.version",
                tag,
                f"the image of {name_of(model, service)}",
                ("services", service.name, "image"),
            )
