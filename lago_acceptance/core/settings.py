"""The settings of one deployment: what differs from what it says of itself, and from the defaults here.

"" stands for what no settings file says; ``lago.derived`` fills it in from the deployment. The defaults of limits are here
and nowhere else.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from lago_acceptance.core import user_files
from lago_acceptance.core.gateway_routes import WORDS, route
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.urls import PublicUrl, public_url
from lago_acceptance.core.verdicts import UsageError

Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
# Large enough for any host, and finite.
Amount = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=10**7)]
# Up to eleven years.
Hours = Annotated[int, msgspec.Meta(ge=0, le=10**5)]
TRAEFIK, CADDY, NGINX, NGINX_PROXY, TUNNEL, OTHER, NO_PROXY = (
    "traefik",
    "caddy",
    "nginx",
    "nginx-proxy",
    "cloudflare-tunnel",
    "other",
    "none",
)
PROXIES = (TRAEFIK, CADDY, NGINX, NGINX_PROXY, TUNNEL, OTHER, NO_PROXY)
"""The kinds of proxy: ``other`` is one that is not known here, ``none`` means that browsers reach Lago's own ports."""

FILE = "settings.toml"
"""The settings file of the folder that a command is run in."""
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Deployment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the deployment is on its host, and its version of Lago.

    ``clients`` are those of its PostgreSQL and Redis that may be there although they are no container of it: addresses,
    networks (CIDR), and names that clients or their containers give themselves. ``mounted_key``: the RSA key has to be a mounted
    file; without it, a key that comes from a variable is a warning.
    """

    directory: str = ""
    compose_file: str = ""
    env_file: str = ""
    version: str = ""
    clients: tuple[str, ...] = ()
    mounted_key: bool = False

    @property
    def start(self) -> str:
        """The command that starts it on its host, as far as it is known."""
        options = [
            *([f"-f {self.compose_file}"] if self.compose_file else []),
            *([f"--env-file {self.env_file}"] if self.env_file else []),
        ]
        folder = f"cd {self.directory} && " if self.directory else ""
        return f"{folder}{' '.join(['docker compose', *options, 'up -d'])}"


class Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of migrations of a version of Lago, and the latest of them."""

    migrations: Annotated[int, msgspec.Meta(ge=1, le=10**6)]
    latest: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{14}$")]


class Hosts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the public reaches it: host names, or URLs where a scheme, a port or a path belongs to it.

    ``browser_api`` is where browsers reach the API, if that is another place than ``api``.
    """

    front: str = ""
    api: str = ""
    gateway: str = ""
    browser_api: str = ""


class EdgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the proxy is set up in production, and what is required of DNS and TLS.

    ``proxy`` is its kind, one of ``PROXIES``. Entry points and resolver are Traefik's. ``origin`` is the proxy's public
    address, if it is not that of the ssh host; ``system_resolver``: whether this machine's own resolvers are also queried for
    a live host's names.
    """

    http_entrypoint: str = ""
    https_entrypoint: str = ""
    resolver: str = ""
    proxy_network: str = ""
    gateway_network: str = ""
    resolvers: tuple[str, ...] = ("1.1.1.1", "8.8.8.8")
    certificate_warning_days: Days = 25
    certificate_error_days: Days = 14
    closed_ports: tuple[Port, ...] = (3000, 3010, 5432, 6379, 8080)
    system_resolver: bool = True
    origin: str = ""
    proxy: str = ""


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the database dumps are on the host, as a shell pattern, and the maximum age of the newest, in hours."""

    files: str
    hours: Annotated[float, msgspec.Meta(gt=0, le=10**5)] = 26


class Plans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan catalogue that Lago must hold: a file, in a settings file relative to that."""

    file: str


class Routes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public routes of a gateway of one's own, each as ``core.gateway_routes`` reads it; "" for one that it hasn't."""

    plans: str = ""
    subscribe: str = ""
    subscriptions: str = ""
    invoices: str = ""
    usage: str = ""


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the gateway has Lago's API key: a variable of an env file on the host, and the container that reads it.

    ``url_variable`` holds Lago's address there. The container is named by ``container``, or by ``project`` and ``service`` of Compose; it
    may be left out, and then it is never restarted. ``routes`` are those of a gateway that is none of the known kind.
    """

    env_file: str = ""
    variable: str = ""
    url_variable: str = ""
    container: str = ""
    project: str = ""
    service: str = ""
    routes: Routes | None = None


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of a host: its free disk space, and how long a job may wait. Sizes in MiB, times in seconds.

    ``log_mib`` is for the log files of one container, ``clock_drift`` for the host's clock against this machine's.
    ``job_age`` is for a job that runs, ``retry_jobs`` and ``retry_age`` for those that are retried, ``scheduled_jobs`` for
    those that wait for their time, ``transaction_age`` for a transaction that is open in Lago's database. ``free_inodes``
    and ``free_swap`` are percentages, ``free_memory_mib`` is what must be available.
    """

    free_disk_mib: Amount = 2048
    queue_age: Amount = 60
    log_mib: Amount = 512
    clock_drift: Seconds = 5
    job_age: Seconds = 1800
    retry_jobs: Amount = 100
    retry_age: Seconds = 6 * 3600
    scheduled_jobs: Amount = 10_000
    transaction_age: Seconds = 3600
    free_inodes: Percent = 2
    free_memory_mib: Amount = 200
    free_swap: Percent = 10


class Signs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of the signs that Lago bills, read from its tables. ``_hours`` and ``_days`` are the units.

    ``topup_hours``: how long a top-up may be pending while no payment is awaited; ``draft_hours``: how long a draft may
    outlive its grace period; ``overdue_days``: how long a payment may be overdue; ``end_hours``: how long a subscription
    may be active after its end; ``webhook_hours``: how long a webhook may be pending; ``webhook_days`` and
    ``event_days``: how far back webhooks and events are judged; ``future_hours``: how far an event may be in the future;
    ``unknown_hours``: how far back codes and subscriptions of events are judged; ``usage_hours``: how long no event may
    come where some came on each of the seven days before.
    """

    topup_hours: Hours = 24
    draft_hours: Hours = 3
    overdue_days: Days = 0
    end_hours: Hours = 2
    webhook_hours: Hours = 1
    webhook_days: Days = 7
    event_days: Days = 7
    future_hours: Hours = 1
    unknown_hours: Hours = 24
    usage_hours: Hours = 30


class Reports(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of earlier runs: ``keep`` folders of reports, and ``history`` runs of each host in the history."""

    keep: Annotated[int, msgspec.Meta(ge=1, le=10**5)] = 30
    history: Annotated[int, msgspec.Meta(ge=90, le=10**6)] = 1000


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole settings file. Without one, its defaults."""

    deployment: Deployment = Deployment()
    hosts: Hosts = Hosts()
    edge: EdgeSettings = EdgeSettings()
    limits: Limits = Limits()
    schema: dict[str, Schema] = {}
    backup: Backup | None = None
    gateway: Gateway | None = None
    plans: Plans | None = None
    reports: Reports = Reports()
    signs: Signs = Signs()

    @property
    def key_place(self) -> Gateway | None:
        """Where the gateway has Lago's API key, None where nothing says it."""
        return self.gateway if self.gateway and self.gateway.env_file else None

    def url(self, role: str) -> PublicUrl | None:
        """Where the public reaches front, API or gateway, None where that isn't known."""
        return public_url({FRONT: self.hosts.front, API: self.hosts.api, GATEWAY: self.hosts.gateway}[role])

    def host(self, role: str) -> str:
        """The public host name of front, API or gateway, "" where it isn't known."""
        url = self.url(role)
        return url.host if url else ""

    @property
    def browser_api(self) -> PublicUrl | None:
        """Where browsers reach the API, None where that isn't known."""
        return public_url(self.hosts.browser_api) or self.url(API)


def default_file() -> Path | None:
    """The settings file that is used where none is named: that of the current folder, else of the checkout; None if there is
    none. It is of one deployment, and is left out for others (``lago.derived.belongs``).
    """
    return next((path for path in (Path(FILE), ROOT / FILE) if path.is_file()), None)


def load(path: Path | None) -> Settings:
    """The settings of a file, without one those of ``default_file``; UsageError in one sentence if it can't be used."""
    path = path or default_file()
    if path is None:
        return Settings()
    settings = user_files.toml("the settings file", path, Settings)
    for problem in problems(settings):
        raise UsageError(f"the settings file {path} has an invalid entry: {problem}")
    if settings.plans:
        file = path.absolute().parent / settings.plans.file
        settings = msgspec.structs.replace(settings, plans=Plans(str(file)))
    return settings


def problems(settings: Settings) -> Iterator[str]:
    """What can't be used in settings although its type is right, a sentence each."""
    deployment, hosts, edge, backup = settings.deployment, settings.hosts, settings.edge, settings.backup
    texts = {
        "deployment.directory": deployment.directory,
        "deployment.compose_file": deployment.compose_file,
        "deployment.env_file": deployment.env_file,
        "deployment.version": deployment.version,
        **({"backup.files": backup.files} if backup else {}),
        **({"plans.file": settings.plans.file} if settings.plans else {}),
    }
    for entry, text in texts.items():
        if text and not text.strip() or not text.isprintable():
            yield f"{entry} is {text!r}: it must be one line of text that is not empty"
    if settings.plans and not settings.plans.file:
        yield "plans.file is empty: write the file with the plan catalogue, relative to the settings file"
    if backup and not backup.files:
        yield "backup.files is empty: write a shell pattern, such as /var/backups/lago/*.sql.gz"
    if deployment.directory and not deployment.directory.startswith("/"):
        yield f"deployment.directory is {deployment.directory!r}: give the full path on the host, starting with /"
    for client in deployment.clients:
        if not client.strip() or not client.isprintable():
            yield f"deployment.clients has {client!r}: write an address, a network such as 10.0.0.0/8, or a client's name"
    if deployment.version and not _TAG.fullmatch(deployment.version):
        yield f"deployment.version is {deployment.version!r}: write the tag of Lago's image, such as v1.16.0"
    for entry, text in msgspec.structs.asdict(hosts).items():
        if text:
            yield from _unusable_host(entry, text)
    yield from _of_edge(edge)
    if settings.gateway:
        yield from _of_gateway(settings.gateway)
    yield from _of_limits(settings.limits)


def _of_edge(edge: EdgeSettings) -> Iterator[str]:
    if edge.proxy and edge.proxy not in PROXIES:
        yield f"edge.proxy is {edge.proxy!r}: {user_files.did_you_mean(edge.proxy, PROXIES)}"
    for field in ("http_entrypoint", "https_entrypoint", "resolver", "proxy_network", "gateway_network"):
        name = getattr(edge, field)
        if name and not _NAME.fullmatch(name):
            yield f"edge.{field} is {name!r}: a name has letters, digits, dots, hyphens and underscores only"
    if edge.http_entrypoint and edge.http_entrypoint == edge.https_entrypoint:
        yield (
            f"edge.http_entrypoint and edge.https_entrypoint are both {edge.http_entrypoint!r}: Traefik has one for port 80 "
            "and another one for port 443"
        )
    if edge.certificate_error_days > edge.certificate_warning_days:
        yield (
            f"edge.certificate_error_days is {edge.certificate_error_days} and edge.certificate_warning_days is "
            f"{edge.certificate_warning_days}: a certificate must be a warning before it becomes an error, so the warning needs the "
            "larger number"
        )
    for name, values in (("closed_ports", edge.closed_ports), ("resolvers", edge.resolvers)):
        if twice := [value for at, value in enumerate(values) if value in values[:at]]:
            yield f"edge.{name} has {twice[0]} twice: leave one out"
    if serving := {80, 443}.intersection(edge.closed_ports):
        yield f"edge.closed_ports has {min(serving)}, on which the proxy has to answer: leave it out"
    for address in edge.resolvers:
        if not _is_address(address):
            yield f"edge.resolvers has {address!r}: write the address of a DNS server, such as 1.1.1.1"
    if not edge.resolvers and not edge.system_resolver:
        yield "edge.resolvers is empty and edge.system_resolver is false: no DNS server is left to ask"
    if edge.origin and not _is_address(edge.origin):
        yield f"edge.origin is {edge.origin!r}: write the proxy's public address, such as 203.0.113.7"


def _of_limits(limits: Limits) -> Iterator[str]:
    for field in ("free_disk_mib", "log_mib"):
        if not getattr(limits, field):
            usual = getattr(Limits(), field)
            yield f"limits.{field} is 0, which no host could ever break or keep: write MiB, such as {usual}"
    if not limits.queue_age:
        yield f"limits.queue_age is 0, and every job waits a moment: write seconds, such as {Limits().queue_age}"


def _of_routes(routes: Routes) -> Iterator[str]:
    told = {name: text for name, text in msgspec.structs.asdict(routes).items() if text}
    if not told:
        yield "gateway.routes names no route: write plans and subscribe at least, or leave it out"
    for name, text in told.items():
        found = route(text)
        if found is None:
            yield (
                f"gateway.routes.{name} is {text!r}: write method, path and fields, such as "
                f"{_ROUTES[name]!r}; what may be in braces: {', '.join(WORDS)}"
            )
        elif (found.method == "GET") != (name != "subscribe"):
            yield f"gateway.routes.{name} is {text!r}: its method must be {'POST, PUT or PATCH' if name == 'subscribe' else 'GET'}"


_ROUTES = {
    "plans": "GET /v1/plans",
    "subscribe": "POST /v1/subscriptions plan_code={plan} customer={tenant}",
    "subscriptions": "GET /v1/subscriptions customer={tenant}",
    "invoices": "GET /v1/invoices customer={tenant}",
    "usage": "GET /v1/usage subscription={subscription}",
}


def _of_gateway(gateway: Gateway) -> Iterator[str]:
    if gateway.routes:
        yield from _of_routes(gateway.routes)
        if gateway == Gateway(routes=gateway.routes):
            return
    if not gateway.env_file.startswith("/") or not gateway.env_file.isprintable():
        yield f"gateway.env_file is {gateway.env_file!r}: give the full path on the host, starting with /"
    for field in ("variable", "url_variable"):
        name = getattr(gateway, field)
        if (name or field == "variable") and not _VARIABLE.fullmatch(name):
            yield f"gateway.{field} is {name!r}: a variable has letters, digits and underscores only"
    for field in ("container", "project", "service"):
        name = getattr(gateway, field)
        if name and not _NAME.fullmatch(name):
            yield f"gateway.{field} is {name!r}: a name has letters, digits, dots, hyphens and underscores only"
    if bool(gateway.project) != bool(gateway.service):
        yield "gateway.project and gateway.service belong together: write both, or gateway.container instead"
    if gateway.container and gateway.project:
        yield "gateway.container names the container already: leave out gateway.project and gateway.service"


def _unusable_host(entry: str, text: str) -> Iterator[str]:
    if "://" in text:
        url = public_url(text)
        if url is None or url.scheme not in ("http", "https") or not _usable(url.host):
            yield f"hosts.{entry} is {text[:300]!r}: {_instead_of(text)}"
    elif not _usable(text):
        yield f"hosts.{entry} is {text[:300]!r}: {_instead_of(text)}"


def _usable(host: str) -> bool:
    return _is_address(host) or len(host) <= 253 and all(map(_LABEL.fullmatch, host.split(".")))


def _instead_of(name: str) -> str:
    """What to write in the place of something that is no host name."""
    scheme, separator, rest = name.partition("://")
    host = re.split("[/?#]", rest if separator else name)[0]
    _, at, plain = host.rpartition("@")
    plain, colon, _ = plain.partition(":")
    out = [
        *([f"{scheme}://"] if separator else []),
        *(["the user"] if at else []),
        *(["the port"] if colon else []),
        *(["what follows the host name"] if (rest if separator else name) != host else []),
    ]
    plain = plain.lower().removesuffix(".")
    usable = len(plain) <= 253 and all(map(_LABEL.fullmatch, plain.split(".")))
    if usable and out:
        return f"leave out {' and '.join(out)}, and write {plain}"
    if usable:
        return f"write {plain}, in lower case and without a dot at its end"
    return (
        "write a host name as DNS has it, such as billing.example.com: lower case, no scheme, no port, letters of other "
        "alphabets as xn--…"
    )


def _is_address(text: str) -> bool:
    try:
        return not getattr(ipaddress.ip_address(text), "scope_id", None)
    except ValueError:
        return False
