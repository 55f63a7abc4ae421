"""Everything that is observed on a Docker host in one round trip, immutable. collect.py takes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from lago_acceptance.facts.answers import DatabaseAnswers, LagoProcess
from lago_acceptance.facts.dump import Dump
from lago_acceptance.facts.host_state import CertificateStore, Engine, Inodes, Machine
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.facts.untrusted import whole_number
from lago_acceptance.facts.upgrade import UpgradeAnswers
from lago_acceptance.lago.unseen_environment import with_unseen_environments
from lago_acceptance.model.deployment import Model, Network, Service
from lago_acceptance.model.from_docker import SWARM_SERVICE, own_name
from lago_acceptance.model.platforms import Platform, platforms, platforms_of_labels

# Seconds after which a container that was restarted counts as running.
STEADY = 20


class KeyFile(msgspec.Struct, frozen=True):
    """A mounted file or folder of the host. ``kind`` is stat's word, absent, or hidden (in a folder that the ssh user
    may not enter), ``changed`` when its content was written last (Unix time), None where that isn't known.

    Of a key: ``header`` is its first line, ``text`` the first line of openssl's description, ``consistent`` whether
    openssl's check passes, and ``digest`` the SHA-256 of the public half (SubjectPublicKeyInfo, DER), "" where there is
    none.
    """

    path: str
    mode: str
    owner: str
    size: int
    kind: str
    header: str = ""
    text: str = ""
    consistent: bool = False
    digest: str = ""
    changed: int | None = None

    @property
    def is_file(self) -> bool:
        return self.kind.startswith("regular")

    @property
    def unseen(self) -> str:
        """Why its content is unknown, or ""."""
        if self.kind == "hidden":
            return f"{self.path} is in a folder that this user may not enter"
        if self.text == "unreadable":
            return f"{self.path} may not be read by this user; only root can check what is in it"
        return f"the host has no openssl to check {self.path} with" if self.text == "no openssl" else ""

    @property
    def private(self) -> bool:
        return "Private" in self.text

    @property
    def rsa(self) -> bool:
        return "RSA" in self.text or "primes" in self.text or (self.private and self.consistent)

    @property
    def bits(self) -> int:
        """Bits of the modulus, 0 where it is no key."""
        digits = self.text.partition("(")[2].partition(" bit")[0]
        return whole_number(digits) or 0


class ComposeText(msgspec.Struct, frozen=True):
    """A compose or environment file on the host: its mode (octal digits), its lines that hold key material, and the
    SHA-256 of its content ("" where it could not be read).
    """

    path: str
    mode: str
    key_lines: tuple[int, ...]
    digest: str = ""


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One container of the host. Times as Docker writes them (RFC 3339, nanoseconds), "" where it never was.

    ``hostname`` is the name that its processes give themselves, "" where it isn't known; ``addresses`` are of IPv4, by
    network, ``addresses_v6`` of IPv6. ``failing_streak`` is how many healthchecks in a row have failed, ``last_probe_at``
    when the last of them began (Unix time).
    """

    id: str
    name: str
    project: str
    service: Service
    status: str
    running: bool
    restarting: bool
    exit_code: int
    error: str
    out_of_memory: bool
    restarts: int
    started_at: str
    health: str | None
    health_output: str
    image_id: str
    addresses: dict[str, str]
    published: dict[str, tuple[tuple[str, str], ...]]
    hostname: str = ""
    created_at: str = ""
    finished_at: str = ""
    failing_streak: int = 0
    last_probe_at: float | None = None
    addresses_v6: tuple[str, ...] = ()

    @property
    def role(self) -> str | None:
        return self.service.role

    @property
    def names(self) -> frozenset[str]:
        """The names that it has for other containers."""
        aliases = (alias for each in self.service.networks.values() for alias in each)
        swarm = self.service.labels.get(SWARM_SERVICE)
        return frozenset((self.name, self.service.name, *aliases, *([swarm] if swarm else ())))

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """What has deployed it and runs it, the most particular first; none where it was started by hand."""
        return platforms_of_labels(self.service.labels, self.addresses)

    def serving(self, now: float) -> bool:
        """Whether it runs; one that was restarted has to be healthy, or up for STEADY seconds (``now`` is Unix time)."""
        if not self.running or self.restarting or self.status == "paused":
            return False
        steady = not self.restarts or self.health == "healthy"
        return steady or now - (unix_time(self.started_at) or now) >= STEADY

    def address(self, network: str = "") -> str | None:
        """The container's address on a network, or on any."""
        if network:
            return self.addresses.get(network)
        return next(iter(self.addresses.values()), None)


class Image(msgspec.Struct, frozen=True):
    """An image of the host and its present names: tags and digests."""

    id: str
    names: tuple[str, ...]


class Disk(msgspec.Struct, frozen=True):
    """Free space of one file system, in MiB."""

    mount: str
    free_mib: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What was observed on a host.

    Fields that sections fill are documented in facts/sections/. ``containers`` are the deployment's, ``others`` everybody
    else's. ``declaration`` is the model that Compose makes of the deployment's files on the host. ``host_clock`` is the
    host's time (Unix time); ``clock_drift`` is how many seconds it is ahead of this machine's, at least: what the way
    there and back may explain is 0. By container id: ``logs`` the last lines, ``lago`` the answer of
    scripts/lago_process.rb, ``fronts`` the answer for /env-config.js with its headers, ``proxies`` Traefik's routers and
    services, ``gateways`` the output of scripts/gateway_view.sh. ``upgrade`` is None where nothing asked about one.
    """

    project: str
    lagos: dict[str, str]
    host_clock: float
    clock_drift: float
    containers: tuple[Container, ...]
    others: tuple[Container, ...]
    declaration: Model | None
    declaration_error: str
    texts: tuple[ComposeText, ...]
    sources: tuple[KeyFile, ...]
    disks: tuple[Disk, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]
    images: tuple[Image, ...]
    log_sizes: dict[str, int]
    dumps: tuple[Dump, ...]
    logs: dict[str, str]
    database: DatabaseAnswers | None
    database_error: str
    redis: RedisAnswers | None
    redis_error: str
    lago: dict[str, LagoProcess]
    fronts: dict[str, str]
    proxies: dict[str, dict[str, Any] | None]
    gateways: dict[str, str] = {}
    inodes: tuple[Inodes, ...] = ()
    machine: Machine | None = None
    closed_dumps: str = ""
    later_dump_sizes: dict[str, int] = {}
    oom_kills: dict[str, int] = {}
    engine: Engine | None = None
    docker_at_boot: str = ""
    certificate_stores: tuple[CertificateStore, ...] = ()
    upgrade: UpgradeAnswers | None = None
    elsewhere: dict[str, str] = {}
    instead: dict[str, list[str]] = {}

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """What has deployed the deployment and runs it, the most particular first; none where it was started by hand."""
        found = {platform.name for each in self.containers for platform in each.platforms}
        return tuple(each for each in platforms() if each.name in found)

    def load_text(self) -> str:
        """The host's load as a part of a sentence, "" where it is not known."""
        return self.machine.load_text if self.machine else ""

    def of_role(self, *roles: str) -> tuple[Container, ...]:
        """The deployment's containers of these roles."""
        return tuple(container for container in self.containers if container.role in roles)

    def running(self, role: str) -> Container | None:
        """The running container of a role, or None; one in a restart loop doesn't count as running."""
        return next(
            (container for container in self.of_role(role) if container.serving(self.host_clock)), None
        )

    def owner(self, address: str) -> Container | None:
        """The container of this host that has an address on one of its networks, the deployment's first; else None."""
        everything = (*self.containers, *self.others)
        return next(
            (each for each in everything if address in (*each.addresses.values(), *each.addresses_v6)), None
        )

    def process(self, container: Container | None) -> LagoProcess:
        """What Lago's own process answered in a container; an empty answer where nothing could be run there."""
        return self.lago.get(container.id, LagoProcess()) if container else LagoProcess()

    def model(self) -> Model:
        """The containers as a model, for rules."""
        # Without one, or with several, no network has one project's name before its own.
        projects = {each.project for each in self.containers}
        project = projects.pop() if len(projects) == 1 else ""
        own = f"{project}_" if project else ""
        model = Model(
            observed=True,
            project=project,
            services=tuple(container.service for container in self.containers),
            networks=tuple(
                Network(own_name(name, project), name, external=not (own and name.startswith(own)))
                for name in self.networks
            ),
        )
        return with_unseen_environments(model)

    def log_since_start(self, container: Container) -> list[str]:
        """The lines that a container has printed since its last start, without Docker's timestamps."""
        begun = _first_line_of(container)
        lines = (line.partition(" ") for line in self.logs.get(container.id, "").splitlines())
        return [text for stamp, _, text in lines if stamp[:26] >= begun]

    def stamped_log(self, container: Container) -> list[tuple[float, str]]:
        """The last lines of a container with their times (Unix time)."""
        lines = (line.partition(" ") for line in self.logs.get(container.id, "").splitlines())
        return [(at, text) for stamp, _, text in lines if (at := unix_time(stamp)) is not None]

    def started_at(self, container: Container) -> float:
        """When a container was last started (Unix time)."""
        return unix_time(container.started_at) or 0.0

    def unseen_log(self, container: Container) -> str:
        """Why Docker can't show a container's log, or "": some logging drivers can't be read back."""
        text = self.logs.get(container.id, "").strip()
        return text if "does not support reading" in text.partition("\n")[0] else ""

    def log(self, container: Container) -> list[str]:
        """The last lines of a container, those of earlier starts included."""
        return [line.partition(" ")[2] for line in self.logs.get(container.id, "").splitlines()]

    def last_at(self, container: Container, text: str) -> float | None:
        """When a container last printed a line that holds a text (Unix time), or None."""
        stamps = (line.partition(" ") for line in reversed(self.logs.get(container.id, "").splitlines()))
        found = next((stamp for stamp, _, rest in stamps if text in rest), None)
        return unix_time(found) if found else None

    def source(self, path: str) -> KeyFile | None:
        """What is at a path of the host that some container mounts, or that the settings name; None where neither does."""
        return next((source for source in self.sources if source.path == path), None)


def _first_line_of(container: Container) -> str:
    """Before which stamp no line is of a container's last start.

    Docker notes that start when the process runs already, or has ended, so lines may be stamped before. Of one that runs,
    all is of this start that came after the end of the start before; of one that has ended and was never restarted,
    everything is. Where no end is known, a second before the start is allowed.
    """
    if container.running and container.finished_at:
        return container.finished_at[:26]
    if container.finished_at and not container.restarts:
        return ""
    started = unix_time(container.started_at)
    if started is None:
        return container.started_at[:26]
    return datetime.fromtimestamp(started - 1, UTC).isoformat(timespec="microseconds")[:26]


def unix_time(stamp: str) -> float | None:
    """Docker's timestamp (RFC 3339, UTC, nanoseconds) as Unix time; None where it isn't one."""
    try:
        return datetime.fromisoformat(stamp[:26].rstrip("Z") + "Z").timestamp()
    except ValueError:
        return None
