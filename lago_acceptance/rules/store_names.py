"""A rule about the names by which services reach the database, Redis and the PDF service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import lago, proxy_networks, variable
from lago_acceptance.rules.helpers.data_stores import PARTNERS
from lago_acceptance.rules.helpers.hosts import joinable, local, named, url_of

# Words of which names are made that any project may choose. A name of others is somebody's own.
_COMMON = re.compile(
    "db|databases?|postgres|postgresql|pg|pgsql|sql|timescale|timescaledb|pgbouncer|pooler|redis|valkey|keydb|dragonfly"
    "|cache|queues?|jobs|broker|store|storage|data|memory|kv|session|sidekiq|pdf|gotenberg|chromium|lago|billing|app|web"
    "|api|main|primary|master|replica|slave|read|write|prod|production|staging|stage|test|dev|local|internal|private"
    r"|server|service|svc|host|instance|container|core|backend|the|my|\d+"
)
_PDF = "LAGO_PDF_URL"
_WORD = re.compile(r"[a-z]+|\d+")
# A part that a platform or a person has drawn at random: letters and digits mixed, or hexadecimal.
_RANDOM = re.compile(r"(?=[a-z0-9]*[a-z])(?=[a-z0-9]*\d)[a-z0-9]{6,}")


def _generic(name: str) -> bool:
    """Whether any project may have chosen a name."""
    return all(map(_COMMON.fullmatch, _WORD.findall(name.lower())))


def _anyones(model: Model, host: str) -> Severity | None:
    """How likely another project's container has a host name too: an error if its words are common; None: not at all.

    Compose makes a service's name an alias on each of its networks, in every project that has a service of that name.
    """
    if "." in host or local(host) or unknown(host) or any(map(_RANDOM.fullmatch, re.split(r"[-_]", host))):
        return None
    keys = {service.name for service in model.services}
    aliases = {alias for service in model.services for names in service.networks.values() for alias in names}
    if _generic(host):
        # Docker has a container's name once. And a name that this file doesn't have is meant to be another project's.
        # And one with lago in it only another Lago has.
        anyones = (host in keys or host in aliases) and "lago" not in host.lower()
        return Severity.ERROR if anyones else Severity.WARNING
    return Severity.WARNING if host in keys else None


class _Reached(NamedTuple):
    """A name that others may have: its variable, the host, and the networks where it may be answered."""

    name: str
    host: str
    networks: frozenset[str]
    severity: Severity


def _hosts(model: Model, service: Service) -> Iterator[tuple[str, str]]:
    """The variables of a service that name its stores and the PDF service, with the host of each.

    A host that must be of this file and isn't in it is host-unknown or no-pdf-service.
    """
    for name, roles in PARTNERS:
        url = url_of(service, name)
        if url is None or not url.host or url.host in service.extra_hosts:
            continue
        if named(model, url.host) or name != _PDF and not model.of_role(*roles):
            yield name, url.host


def _shared_networks(model: Model, service: Service) -> frozenset[str]:
    """Docker's names of the networks on which a service may meet containers of other projects."""
    kind, _, holder = service.network_mode.partition(":")
    if kind == "service":
        other = next((each for each in model.services if each.name == holder), service)
        return frozenset() if other.network_mode else _shared_networks(model, other)
    if kind:
        return frozenset() if holder or kind in ("host", "none", "bridge") else frozenset((kind,))
    return frozenset(
        network.name
        for network in model.networks
        if network.key in service.networks and joinable(model, network)
    )


@rule(phase=2)
def store_name_shared(model: Model, settings: Settings) -> Iterator[Violation]:
    """On a network with other projects, a service reaches its stores by names that no other project has.

    Docker answers a name from all networks of a container, and every project's service is known by its plain name there. So
    `db` or `redis` may be another project's: migrations, invoices and jobs go there. Good names are an alias of the store's on
    a network that only Lago uses (`networks: {lago: {aliases: [lago-db.internal]}}`), or a name with a domain. A service
    that is only on networks of its own project is not judged. A name with words of one's own or with `lago`, which only another
    Lago has, and that of the PDF service are warnings.
    """
    for service in lago(model):
        shared = _shared_networks(model, service)
        found = [
            _Reached(name, host, networks, severity if name != _PDF else Severity.WARNING)
            for name, host in _hosts(model, service)
            if (networks := shared - _own(model, settings, host, name))
            and (severity := _anyones(model, host))
        ]
        if not found:
            continue
        names = [each.name for each in found]
        hosts = list(dict.fromkeys(each.host for each in found))
        exposed = sorted({network for each in found for network in each.networks})
        certain = any(each.severity == Severity.ERROR for each in found)
        yield Violation(
            service=service,
            at=variable(service, names[0]),
            severity=None if certain else Severity.WARNING,
            problem=f"it is on {' and '.join(exposed)}, where other projects may use the name "
            f"{' or '.join(hosts)} as well ({', '.join(names)})",
            impact="Docker may answer with another project's container: "
            + (
                "invoices get no PDF"
                if names == [_PDF]
                else "invoices and jobs end up in a stranger's database or Redis, or nothing starts"
            ),
            fix=_remedy(model, hosts[0], exposed),
        )


def _own(model: Model, settings: Settings, host: str, name: str) -> frozenset[str]:
    """The networks on which a host of this deployment itself is: that a store is on a shared one is db-on-proxy-network."""
    own = {model.network_name(key) for each in named(model, host) for key in each.networks}
    return frozenset(own - proxy_networks(model, settings) if name == _PDF else own)


def _remedy(model: Model, host: str, networks: list[str]) -> str:
    example = f"{host.replace('_', '-')}.{model.project or 'lago'}.internal"
    keys = [key for each in named(model, host) for key in each.networks]
    private = next((key for key in keys if model.network_name(key) not in networks), "")
    if not private:
        return f"use a name with a domain, or a network that only this project uses, not {networks[0]}"
    return (
        f"give it an alias there that nobody else has, networks: {{{private}: {{aliases: [{example}]}}}}, and use that name; "
        f"or take the service off {networks[0]}"
    )
