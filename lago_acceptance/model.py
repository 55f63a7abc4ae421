"""One shape for what is declared (Compose's own output) and for what is observed (``docker inspect``).

Rules are functions of this shape, so one rule serves the gate, the stack and a live host.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from lago_acceptance.roles import role_of

_UNITS = {"": 1, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


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
        holding = [mount for mount in self.mounts if path == mount.target or path.startswith(f"{mount.target.rstrip('/')}/")]
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
    the env_file entries by service, ``missing_files`` those that don't exist, ``env_texts`` the others by path; ``repeated`` are the keys of a mapping, or
    names of a list environment, that stand twice, each as the way to it. ``lines`` tells where each way leads,
    ``pem_lines`` where a private key's PEM begins; ``committed`` are those of its files that are in a git repository.
    ``compose_error`` is why Compose refuses the file, "" where it doesn't.
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


def seconds(text: str | float | None) -> float | None:
    """Compose's duration ("1m30s", or Docker's nanoseconds) in seconds."""
    if text is None or text == "":
        return None
    if isinstance(text, int | float):
        return text / 1e9
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(text))


def size_in_bytes(text: str | int | None) -> int | None:
    """Compose's size ("1g", or bytes) in bytes; None where there is no limit."""
    if not text:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", str(text).strip().lower())
    return int(float(found[1]) * _UNITS.get(found[2], 1)) if found else None


def _words(value: str | list | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(word) for word in value)


def _literal(value: str | None) -> str | None:
    """Compose writes a dollar sign doubled, so that its output can be read again."""
    return value.replace("$$", "$") if isinstance(value, str) else value


def declared(document: dict[str, Any]) -> Model:
    """The model of ``docker compose config --format json``."""
    services = tuple(
        _declared_service(name, raw or {}, document) for name, raw in (document.get("services") or {}).items()
    )
    contents = {key: (raw or {}).get("content") for key, raw in (document.get("configs") or {}).items()}
    return Model(
        observed=False,
        files={written_here(key): _literal(content) for key, content in contents.items() if content is not None},
        project=document.get("name", ""),
        services=services,
        networks=tuple(
            Network(key, (raw or {}).get("name", key), bool((raw or {}).get("external")))
            for key, raw in (document.get("networks") or {}).items()
        ),
        volumes=tuple(
            Volume(key, (raw or {}).get("name", key), bool((raw or {}).get("external")))
            for key, raw in (document.get("volumes") or {}).items()
        ),
    )


def written_here(name: str) -> str:
    """The path under which ``Model.files`` holds a config that the compose file itself writes (``content:``)."""
    return f"configs/{name}"


def _handed_in(raw: dict[str, Any], document: dict[str, Any]) -> list[Mount]:
    """A service's secrets and configs, which Compose mounts as files."""
    mounts = []
    for kind, folder in (("secrets", "/run/secrets/"), ("configs", "/")):
        for entry in raw.get(kind) or []:
            given = (document.get(kind) or {}).get(entry["source"]) or {}
            target = entry.get("target") or entry["source"]
            source = given.get("file") or (written_here(entry["source"]) if "content" in given else entry["source"])
            mounts.append(Mount(kind.rstrip("s"), source, target if target.startswith("/") else folder + target, True))
    return mounts


def _declared_service(name: str, raw: dict[str, Any], document: dict[str, Any]) -> Service:
    entrypoint = tuple(_literal(word) for word in _words(raw.get("entrypoint")))
    command = tuple(_literal(word) for word in _words(raw.get("command")))
    deploy = raw.get("deploy") or {}
    own = raw.get("labels") or {}
    for_swarm = deploy.get("labels") or {}
    labels = {key: str(_literal(value) or "") for key, value in {**for_swarm, **own}.items()}
    image = raw.get("image", "")
    check = raw.get("healthcheck")
    limits = (deploy.get("resources") or {}).get("limits") or {}
    return Service(
        name=name,
        image=image,
        role=role_of(image, " ".join((*entrypoint, *command)), labels),
        entrypoint=entrypoint,
        command=command,
        environment={key: _literal(value) for key, value in (raw.get("environment") or {}).items()},
        labels=labels,
        mounts=tuple(
            Mount(
                mount.get("type", "volume"),
                mount.get("source", ""),
                mount.get("target", ""),
                bool(mount.get("read_only")),
                (mount.get("bind") or {}).get("create_host_path", True),
            )
            for mount in raw.get("volumes") or []
        )
        + tuple(_handed_in(raw, document)),
        networks={
            key: tuple((options or {}).get("aliases") or ()) for key, options in (raw.get("networks") or {}).items()
        },
        network_mode=raw.get("network_mode", ""),
        ports=tuple(
            Port(port.get("host_ip", ""), str(port.get("published", "")), int(port.get("target", 0)), port.get("protocol", "tcp"))
            for port in raw.get("ports") or []
        ),
        healthcheck=Healthcheck(
            ("NONE",) if check.get("disable") else tuple(_literal(word) for word in _words(check.get("test"))),
            seconds(check.get("interval")),
            seconds(check.get("timeout")),
            check.get("retries"),
            seconds(check.get("start_period")),
        )
        if check
        else None,
        restart=raw.get("restart") or (deploy.get("restart_policy") or {}).get("condition") or "",
        depends_on={key: (options or {}).get("condition", "") for key, options in (raw.get("depends_on") or {}).items()},
        container_name=raw.get("container_name"),
        memory=size_in_bytes(raw.get("mem_limit") or limits.get("memory")),
        privileged=bool(raw.get("privileged")),
        user=str(raw.get("user") or ""),
        logging=raw.get("logging") or {},
        pull_policy=raw.get("pull_policy") or "",
        working_dir=raw.get("working_dir") or "",
        extra_hosts=tuple(str(each).split("=")[0].split(":")[0] for each in raw.get("extra_hosts") or ()),
        profiles=tuple(raw.get("profiles") or ()),
        built=bool(raw.get("build")),
        replicas=deploy.get("replicas") or raw.get("scale") or 1,
        labels_for_swarm=bool(for_swarm) and not any(key.lower().startswith("traefik.") for key in own),
    )


def observed_service(raw: dict[str, Any], environment: dict[str, str]) -> Service:
    """The model of one container, from the template of readings/facts.sh."""
    labels = raw.get("labels") or {}
    host = raw.get("host") or {}
    check = raw.get("healthcheck")
    entrypoint, command = _words(raw.get("entrypoint")), _words(raw.get("command"))
    project = labels.get("com.docker.compose.project", "")
    networks = {}
    for network, options in (raw.get("networks") or {}).items():
        networks[network.removeprefix(f"{project}_") if project else network] = tuple((options or {}).get("Aliases") or ())
    return Service(
        name=labels.get("com.docker.compose.service") or raw["name"].lstrip("/"),
        image=raw.get("image", ""),
        role=role_of(raw.get("image", ""), " ".join((raw.get("path", ""), *_words(raw.get("args")))), labels),
        entrypoint=entrypoint,
        command=command,
        environment=dict(environment),
        labels=labels,
        mounts=tuple(
            Mount(
                mount.get("Type", ""),
                mount.get("Name") if mount.get("Type") == "volume" else mount.get("Source", ""),
                mount.get("Destination", ""),
                not mount.get("RW", True),
            )
            for mount in raw.get("mounts") or []
        ),
        networks=networks,
        network_mode=host.get("NetworkMode", ""),
        ports=tuple(
            Port(binding.get("HostIp", ""), str(binding.get("HostPort", "")), int(target.split("/")[0]), target.split("/")[-1])
            for target, bindings in (host.get("PortBindings") or {}).items()
            for binding in bindings or []
        ),
        healthcheck=Healthcheck(
            _words(check.get("Test")),
            seconds(check.get("Interval")),
            seconds(check.get("Timeout")),
            check.get("Retries"),
            seconds(check.get("StartPeriod")),
        )
        if check
        else None,
        restart=(host.get("RestartPolicy") or {}).get("Name", ""),
        container_name=raw["name"].lstrip("/"),
        memory=host.get("Memory") or None,
        privileged=bool(host.get("Privileged")),
        logging=host.get("LogConfig") or {},
    )
