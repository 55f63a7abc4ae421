"""One shape for what is declared (Compose's own output) and for what is observed (``docker inspect``).

Rules are functions of this shape, so one rule serves the gate, the stack and a live host.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Healthcheck(msgspec.Struct, frozen=True):
    """How Docker asks a container whether it is well. Times in seconds; None is Docker's default."""

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
    """Something of the host, or a volume, inside of a container. ``source`` is a path or a volume's name."""

    kind: str
    source: str
    target: str
    read_only: bool = False
    create_host_path: bool = True


class Port(msgspec.Struct, frozen=True):
    """A port that the host forwards. ``address`` "" or 0.0.0.0 or :: is every interface."""

    address: str
    published: str
    target: int
    protocol: str = "tcp"

    @property
    def loopback(self) -> bool:
        return self.address.startswith("127.") or self.address in ("::1", "[::1]", "localhost")


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service, declared or running. ``environment`` maps a name to its text ("" where Compose made it empty)."""

    name: str
    image: str
    role: str | None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: dict[str, str | None] = {}
    labels: dict[str, str] = {}
    mounts: tuple[Mount, ...] = ()
    networks: dict[str, tuple[str, ...]] = {}
    network_mode: str = ""
    ports: tuple[Port, ...] = ()
    healthcheck: Healthcheck | None = None
    restart: str = ""
    depends_on: dict[str, str] = {}
    container_name: str | None = None
    memory: int | None = None
    privileged: bool = False
    user: str = ""
    logging: dict[str, Any] = {}
    pull_policy: str = ""
    working_dir: str = ""
    extra_hosts: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    built: bool = False
    replicas: int = 1
    labels_for_swarm: bool = False

    @property
    def full_command(self) -> str:
        """Entrypoint and command as one text."""
        return " ".join((*self.entrypoint, *self.command))

    def value(self, name: str) -> str:
        """A variable's text, "" where it is absent."""
        return self.environment.get(name) or ""

    def mount_at(self, path: str) -> Mount | None:
        """The mount that serves a path inside the container: the deepest one that holds it."""
        holding = [
            mount
            for mount in self.mounts
            if path == mount.target or path.startswith(f"{mount.target.rstrip('/')}/")
        ]
        return max(holding, key=lambda mount: len(mount.target), default=None)


class Network(msgspec.Struct, frozen=True):
    """A network: the key that services use, the name that Docker knows."""

    key: str
    name: str
    external: bool = False


class Volume(msgspec.Struct, frozen=True):
    """A volume: the key that services use, the name that Docker knows."""

    key: str
    name: str
    external: bool = False


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A compose file as it was written: what interpolation and merging take away.

    ``document`` holds the texts before interpolation. ``unset`` are the variables that nothing sets;
    ``environment_known`` tells whether there was an environment file to look into at all. ``env_files`` are
    the env_file entries by service, ``missing_files`` those that don't exist, ``env_texts`` the others by
    path; ``repeated`` are the keys of a mapping, or names of a list environment, that stand twice, each as
    the way to it. ``lines`` tells where each way leads, ``pem_lines`` where a private key's PEM begins;
    ``committed`` are those of its files that are in a git repository. ``compose_error`` is why Compose
    refuses the file, "" where it doesn't.
    """

    path: str
    document: dict[str, Any]
    unset: frozenset[str] = frozenset()
    environment_known: bool = False
    interpolation_files: tuple[str, ...] = ()
    env_files: dict[str, tuple[str, ...]] = {}
    missing_files: dict[str, tuple[str, ...]] = {}
    env_texts: dict[str, str] = {}
    repeated: tuple[tuple[str | int, ...], ...] = ()
    lines: dict[tuple[str | int, ...], int] = {}
    pem_lines: tuple[int, ...] = ()
    committed: tuple[str, ...] = ()
    compose_error: str = ""
    error_at: tuple[str | int, ...] = ()

    def line(self, at: tuple[str | int, ...]) -> int | None:
        """The line (1-based) at which the way leads, as far as it can be followed; ("line", n) is line n."""
        if at[:1] == ("line",):
            return int(at[1])
        if at[2:3] == ("labels",) and at not in self.lines:
            swarm = (*at[:2], "deploy", *at[2:])
            at = swarm if swarm in self.lines else at
        while at:
            if at in self.lines:
                return self.lines[at]
            at = at[:-1]
        return None

    def text(self, service: str, name: str) -> str | None:
        """A service's environment variable before interpolation, None where the file doesn't write it."""
        environment = (self.document.get("services", {}).get(service) or {}).get("environment")
        if isinstance(environment, dict):
            value = environment.get(name)
            return None if value is None else str(value)
        for entry in environment if isinstance(environment, list) else ():
            key, equals, value = str(entry).partition("=")
            if key == name and equals:
                return value
        return None


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A whole deployment as declared or as observed.

    ``files`` are the texts of small host files that a declared service mounts, by path; None: no such file.
    """

    observed: bool
    project: str
    services: tuple[Service, ...] = ()
    networks: tuple[Network, ...] = ()
    volumes: tuple[Volume, ...] = ()
    files: dict[str, str | None] = {}
    written: Written | None = None

    def of_role(self, *roles: str) -> tuple[Service, ...]:
        """The services of these roles, in the file's order."""
        return tuple(service for service in self.services if service.role in roles)

    def network_name(self, key: str) -> str:
        """Docker's name of a network that a service names by its key."""
        return next((network.name for network in self.networks if network.key == key), key)
