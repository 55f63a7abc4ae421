"""One shape for what is declared (Compose's own output) and for what is observed (``docker inspect``).

Rules are functions of this shape, so one rule serves the gate, the stack and a live host.
"""

from __future__ import annotations

from typing import Any

import msgspec

from lago_acceptance.model.source import ComposeSource

# Conditions of depends_on.
COMPLETED, HEALTHY = "service_completed_successfully", "service_healthy"


class Healthcheck(msgspec.Struct, frozen=True):
    """A container's healthcheck. Times in seconds; None is Docker's default."""

    test: tuple[str, ...]
    interval: float | None = None
    timeout: float | None = None
    retries: int | None = None
    start_period: float | None = None

    @property
    def disabled(self) -> bool:
        return not self.test or self.test[0] == "NONE"

    @property
    def command(self) -> str:
        """The command as one text, without Docker's own first word."""
        return " ".join(self.test[1:] if self.test[:1] in (("CMD",), ("CMD-SHELL",)) else self.test)


class Mount(msgspec.Struct, frozen=True):
    """A volume or a host path in a container. ``source`` is the volume's name or the path.

    ``owner_given``: the compose file gives a secret's or config's owner or mode.
    """

    kind: str
    source: str
    target: str
    read_only: bool = False
    create_host_path: bool = True
    owner_given: bool = False


class Port(msgspec.Struct, frozen=True):
    """A published port. The ``address`` "", 0.0.0.0 or :: means all interfaces."""

    address: str
    published: str
    target: int
    protocol: str = "tcp"

    @property
    def loopback(self) -> bool:
        return self.address.startswith("127.") or self.address in ("::1", "[::1]", "localhost")


class Service(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One service, declared or running. ``environment`` maps a name to its text ("" if it is empty).

    ``provider`` is the program that Compose runs in place of a container (``provider.type``), "" for a container.
    ``extra_hosts`` are the names that its hosts file or a link resolves, ``host_entries`` the addresses of those in
    its hosts file. ``tmpfs`` are the paths that are in memory. ``stop_grace_period`` is in seconds, None is Docker's
    10. ``optional`` are those of depends_on that needn't be there (``required: false``). ``expose`` are the ports that
    the compose file exposes beside those of the image; of a container, all ports. ``replicas`` is 0 where the file says
    that none is started. ``environment_elsewhere`` says why variables that it lacks may be set where they
    can't be seen, "" if there is no such place. ``cpus`` and ``pids`` are limits, None is none. ``hostname`` is known of a
    declared service only. ``shares_mounts``: it has those of another container, too (volumes_from).
    """

    name: str
    image: str
    role: str | None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str | None] = {}
    environment_elsewhere: str = ""
    labels: dict[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    networks: dict[str, tuple[str, ...]] = {}
    network_mode: str = ""
    ports: tuple[Port, ...] = ()
    healthcheck: Healthcheck | None = None
    restart: str = ""
    depends_on: dict[str, str] = {}
    optional: frozenset[str] = frozenset()
    container_name: str | None = None
    memory: int | None = None
    cpus: float | None = None
    pids: int | None = None
    dns: tuple[str, ...] = ()
    hostname: str = ""
    shares_mounts: bool = False
    privileged: bool = False
    user: str = ""
    logging: dict[str, Any] = {}
    pull_policy: str = ""
    working_dir: str = ""
    extra_hosts: tuple[str, ...] = ()
    host_entries: dict[str, str] = {}
    read_only: bool = False
    tmpfs: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    stop_grace_period: float | None = None
    stop_signal: str = ""
    init: bool = False
    expose: tuple[int, ...] = ()
    profiles: tuple[str, ...] = ()
    built: bool = False
    provider: str = ""
    replicas: int = 1
    labels_for_swarm: bool = False

    @property
    def full_command(self) -> str:
        """Entrypoint and command as one text."""
        return " ".join((*self.entrypoint, *self.command))

    def value(self, name: str) -> str:
        """A variable's text, "" if it is unset."""
        return self.environment.get(name) or ""

    def mount_at(self, path: str) -> Mount | None:
        """The mount that contains a path in the container: the deepest one."""
        holding = [
            mount
            for mount in self.mounts
            if path == mount.target or path.startswith(f"{mount.target.rstrip('/')}/")
        ]
        return max(holding, key=lambda mount: len(mount.target), default=None)


class Network(msgspec.Struct, frozen=True):
    """A network: the key that services use, the name that Docker knows.

    ``internal``: nothing on it reaches out of the host. Not seen in running containers.
    """

    key: str
    name: str
    external: bool = False
    internal: bool = False


class Volume(msgspec.Struct, frozen=True):
    """A volume: the key that services use, the name that Docker knows.

    ``in_memory``: its driver's options make it a tmpfs. Not seen in running containers.
    """

    key: str
    name: str
    external: bool = False
    in_memory: bool = False


class Model(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A whole deployment as declared or as observed.

    ``files`` are the texts of small host files that a declared service mounts, by path (None: no such file).
    ``source`` is the compose file itself; None for running containers. ``profiles`` are those that a plain `up`
    activates (COMPOSE_PROFILES of the environment file).
    """

    observed: bool
    project: str
    services: tuple[Service, ...] = ()
    networks: tuple[Network, ...] = ()
    volumes: tuple[Volume, ...] = ()
    files: dict[str, str | None] = {}
    profiles: frozenset[str] = frozenset()
    source: ComposeSource | None = None

    def of_role(self, *roles: str) -> tuple[Service, ...]:
        """The services of these roles, in the file's order."""
        return tuple(service for service in self.services if service.role in roles)

    def starts(self, service: Service) -> bool:
        """Whether a plain `up` starts at least one container of the service."""
        active = not service.profiles or "*" in self.profiles or self.profiles & set(service.profiles)
        return bool(active and service.replicas)

    def network_name(self, key: str) -> str:
        """Docker's name of a network, from the key that a service uses."""
        return next((network.name for network in self.networks if network.key == key), key)
