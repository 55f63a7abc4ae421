"""Everything that is observed on a Docker host, taken in one round trip, immutable."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from typing import Any

import msgspec

from lago_acceptance.errors import Unreachable
from lago_acceptance.host import Host, Reading
from lago_acceptance.model import Model, Network, Service
from lago_acceptance.modelling import declared, observed_service
from lago_acceptance.roles import as_shell_case
from lago_acceptance.secret_values import redact

LOG_LINES = 2000
# One that crashed and was started again is taken for running when it has lived this long (seconds).
STEADY = 20
BEGIN, END = "facts begin", "facts end"


class KeyFile(msgspec.Struct, frozen=True):
    """A mounted file or folder of the host. ``kind`` is stat's word, absent, or hidden (its folder is closed to the user
    who looked); for a key, what openssl says of it.

    ``digest`` is the SHA-256 of the public half (SubjectPublicKeyInfo, DER); "" where there is none.
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

    @property
    def is_file(self) -> bool:
        return self.kind.startswith("regular")

    @property
    def unseen(self) -> str:
        """Why nothing can be said of what is in it, or ""."""
        if self.kind == "hidden":
            return f"{self.path} lies in a folder that this user may not enter"
        if self.text == "unreadable":
            return f"{self.path} may not be read by this user; only root can say what is in it"
        return f"the host has no openssl that could look into {self.path}" if self.text == "no openssl" else ""

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
        return int(digits) if digits.isdigit() else 0


class ComposeText(msgspec.Struct, frozen=True):
    """A compose or environment file on the host: mode (octal digits), and the lines that hold key material."""

    path: str
    mode: str
    key_lines: tuple[int, ...]


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """One container of the deployment. Times as Docker writes them (RFC 3339, nanoseconds)."""

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

    @property
    def role(self) -> str | None:
        return self.service.role

    def serving(self, now: float) -> bool:
        """Whether it runs and, where it was restarted, lives longer than between two crashes (``now`` is Unix time)."""
        if not self.running or self.restarting:
            return False
        steady = not self.restarts or self.health == "healthy"
        return steady or now - (unix_time(self.started_at) or now) >= STEADY

    def address(self, network: str = "") -> str | None:
        """The container's address on a network, or on any."""
        if network:
            return self.addresses.get(network)
        return next(iter(self.addresses.values()), None)


class Image(msgspec.Struct, frozen=True):
    """An image of the host and the names that stand for it now."""

    id: str
    names: tuple[str, ...]


class Dump(msgspec.Struct, frozen=True):
    """A dump of the database that a file pattern found: when it was written (Unix time), and its size in bytes."""

    path: str
    written: float
    size: int


class Disk(msgspec.Struct, frozen=True):
    """Free space of one file system, in MiB."""

    mount: str
    free_mib: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at a host has found. ``containers`` are the deployment's, ``others`` everybody else's.

    ``lago`` holds what readings/lago.rb answered in each Ruby container, ``fronts`` the answer of each front to
    /env-config.js with its head, by container id. ``proxies`` holds what each Traefik says of its routers and services.
    ``project`` is the Compose project that was looked at, "" where the host has none; ``lagos`` are all that have Lago
    in them, with their folders. ``log_sizes`` are bytes of the host's log files by container id. ``clock_drift`` is how
    far the host's clock is ahead of this machine's, in seconds, at least: what the way there and back may explain is 0.
    ``billing`` is what billing_view.py reads, "" where it was not asked for.
    """

    project: str
    lagos: dict[str, str]

    engine: str
    root_directory: str
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
    database: dict[str, Any] | None
    database_error: str
    redis: dict[str, Any] | None
    redis_error: str
    lago: dict[str, dict[str, Any]]
    fronts: dict[str, str]
    proxies: dict[str, dict[str, Any] | None]
    billing: str = ""

    def of_role(self, *roles: str) -> tuple[Container, ...]:
        """The deployment's containers of these roles."""
        return tuple(container for container in self.containers if container.role in roles)

    def running(self, role: str) -> Container | None:
        """The running container of a role, or None; one that restarts again and again doesn't run."""
        return next((container for container in self.of_role(role) if container.serving(self.host_clock)), None)

    def model(self) -> Model:
        """The containers as a model, for rules."""
        return Model(
            observed=True,
            project=self.containers[0].project if self.containers else "",
            services=tuple(container.service for container in self.containers),
            networks=tuple(Network(name, name) for name in self.networks),
        )

    def log_since_start(self, container: Container) -> list[str]:
        """The lines that a container has printed since its last start, without Docker's time stamps."""
        started = container.started_at[:26]
        lines = (line.partition(" ") for line in self.logs.get(container.id, "").splitlines())
        return [text for stamp, _, text in lines if stamp[:26] >= started]

    def stamped_log(self, container: Container) -> list[tuple[float, str]]:
        """The last lines of a container with their times (Unix time)."""
        lines = (line.partition(" ") for line in self.logs.get(container.id, "").splitlines())
        return [(at, text) for stamp, _, text in lines if (at := unix_time(stamp)) is not None]

    def started_at(self, container: Container) -> float:
        """When a container was last started (Unix time)."""
        return unix_time(container.started_at) or 0.0

    def log(self, container: Container) -> list[str]:
        """The last lines of a container, those of earlier starts included."""
        return [line.partition(" ")[2] for line in self.logs.get(container.id, "").splitlines()]

    def last_at(self, container: Container, text: str) -> float | None:
        """When a container last printed a line that holds a text (Unix time), or None."""
        stamps = (line.partition(" ") for line in reversed(self.logs.get(container.id, "").splitlines()))
        found = next((stamp for stamp, _, rest in stamps if text in rest), None)
        return unix_time(found) if found else None

    def source(self, path: str) -> KeyFile | None:
        """What is at a path of the host that some container mounts, or should."""
        return next((source for source in self.sources if source.path == path), None)


def unix_time(stamp: str) -> float | None:
    """Docker's time stamp (RFC 3339, UTC, nanoseconds) as Unix time; None where it is none."""
    try:
        return datetime.fromisoformat(stamp[:26].rstrip("Z") + "Z").timestamp()
    except ValueError:
        return None


class _Sections:
    """The sections of readings/facts.sh's output. What a login's profile prints before them is left out."""

    def __init__(self, host: Host, output: str):
        _, begun, rest = output.partition(BEGIN + "\n")
        told, ended, _ = rest.partition(END)
        if not begun or not ended:
            said = redact((told or output).strip()[-200:]) if not begun else "it broke off"
            raise Unreachable(f"the facts of {host.name} did not arrive whole: {said or 'nothing came'}; try again")
        collected: dict[str, list[str]] = {}
        for line in told.splitlines():
            name, _, text = line.partition(" ")
            collected.setdefault(name, []).append(text)
        self._texts = {name: base64.b64decode("".join(parts)).decode("utf-8", "replace") for name, parts in collected.items()}

    def text(self, name: str) -> str:
        return self._texts.get(name, "")

    def named(self, prefix: str) -> dict[str, str]:
        return {name.removeprefix(prefix): text for name, text in self._texts.items() if name.startswith(prefix)}

    @cached_property
    def environment(self) -> tuple[dict[str, dict[str, str]], str]:
        """The configured variables of each container, and Compose's JSON."""
        values: dict[str, dict[str, str]] = {}
        lines = []
        for line in self.text("environment").splitlines():
            if line.startswith("E\t"):
                _, container, name, value = line.split("\t", 3)
                values.setdefault(container, {})[name] = _unquoted(value)
            elif line.startswith("D\t"):
                lines.append(line[2:])
        return values, "\n".join(lines)


def _unquoted(value: str) -> str:
    try:
        return json.loads(f'"{value}"')
    except json.JSONDecodeError:
        return value


def reading(host: Host, *, project: str = "", wanted_directory: str = "", files_: tuple[str, ...] = (),
            env_files: tuple[str, ...] = (), directory: str = "", sources: tuple[str, ...] = (), backups: str = "",
            gateway_network: str = "", environment: dict[str, str] | None = None) -> Reading:
    """The Reading that gathers all facts of a host.

    Without a project it looks at the one that was started in ``wanted_directory``, else at the only one with Lago in it.
    ``backups`` is a file pattern of the host's shell. With a ``gateway_network``, what gateway and API see of each other
    is looked at, too.
    """
    folder = files("lago_acceptance") / "readings"

    def text(name: str) -> str:
        return (folder / name).read_text("utf-8")

    exports = "".join(f"export {name}={_shell(value)}\n" for name, value in (environment or {}).items())
    roles = 'role_of() { text="$2 $3"; case $1 in -) ;; *) role=$1; return ;; esac\n' + as_shell_case("text") + "\n}\n"
    return Reading(
        "facts",
        exports + roles + text("facts.sh"),
        {
            "project": project,
            "wanted_directory": wanted_directory,
            "backups": backups,
            "compose": host.compose_command,
            "files": "\n".join(files_),
            "env_files": "\n".join(env_files),
            "directory": directory,
            "sources": "\n".join(sources),
            "log_lines": str(LOG_LINES),
            "mask": text("mask.awk"),
            "lago_rb": text("lago.rb"),
            "redis_lua": text("redis.lua"),
            "facts_sql": text("facts.sql"),
            "gateway_network": gateway_network,
            "billing": text("billing.sh") if gateway_network else "",
            "stranger": nobodys_key(),
        },
    )


def nobodys_key() -> str:
    """A key that no organization has."""
    return f"nobodys-key-{secrets.token_hex(8)}"


def _shell(value: str) -> str:
    import shlex

    return shlex.quote(value)


def observe(host: Host, **where: Any) -> Facts:
    """Take the facts of a host; see ``reading`` for the words that say where to look.

    Unreachable when Docker doesn't answer there.
    """
    import time

    asked = time.time()
    output = host.read(reading(host, **where))
    answered = time.time()
    sections = _Sections(host, output)
    if problem := sections.text("docker-error"):
        raise Unreachable(_docker_sentence(host, problem))
    environments, declaration = sections.environment
    raw = [json.loads(line) for line in sections.text("containers").splitlines() if line.strip()]
    containers = [container_from(each, environments.get(each["id"], {})) for each in raw]
    project = sections.text("project")
    inside = {container.id for container in containers if project and container.project == project}
    started, ended = sections.text("clock").split()
    model, declaration_error = _declaration(declaration)
    database, database_error = _database(sections.named("database:"))
    redis, redis_error = _redis(sections.named("redis:"))
    info = json.loads(sections.text("info") or "{}")
    return Facts(
        project=project,
        lagos=dict(line.split("\t", 1) for line in sections.text("lagos").splitlines() if line),
        engine=info.get("ServerVersion", ""),
        root_directory=info.get("DockerRootDir", ""),
        host_clock=_clock(ended),
        clock_drift=_beyond(_clock(ended) - answered, _clock(started) - asked + (0 if started[-1].isdigit() else 1)),
        containers=tuple(container for container in containers if container.id in inside),
        others=tuple(container for container in containers if container.id not in inside),
        declaration=model,
        declaration_error=declaration_error,
        texts=tuple(_text(line) for line in sections.text("files").splitlines() if line.strip()),
        sources=tuple(_source(line) for line in sections.text("mounts").splitlines() if line.strip()),
        disks=tuple(_disks(sections.text("disk"))),
        networks=tuple(json.loads(line)["Name"] for line in sections.text("networks").splitlines() if line),
        volumes=tuple(json.loads(line)["Name"] for line in sections.text("volumes").splitlines() if line),
        images=tuple(dict.fromkeys(_image(line) for line in sections.text("images").splitlines() if line)),
        log_sizes={name: int(size) for name, size in map(str.split, sections.text("log-sizes").splitlines())},
        dumps=tuple(_dump(line) for line in sections.text("dumps").splitlines() if line),
        logs={name: redact(text) for name, text in sections.named("logs:").items()},
        database=database,
        database_error=database_error,
        redis=redis,
        redis_error=redis_error,
        lago={name: _json_or_error(text) for name, text in sections.named("lago:").items()},
        fronts={name: redact(text) for name, text in sections.named("front:").items()},
        proxies={name: _proxy(text) for name, text in sections.named("proxy:").items()},
        billing=sections.text("billing"),
    )


def _docker_sentence(host: Host, problem: str) -> str:
    said = redact(problem.strip().splitlines()[-1] if problem.strip() else "it said nothing")
    if "permission denied" in problem:
        return f"{host.name} does not let this user talk to Docker: {said}; add the user to the group docker, or be root"
    if any(sign in problem for sign in ("emplate", "unknown flag", "flag provided but not defined", "function", " too new", " too old")):
        return f"the Docker on {host.name} is too old to be asked ({said}); 20.10 and later are understood"
    if "not found" in problem:
        return f"{host.name} has no Docker; install Docker Engine there"
    return f"Docker does not answer on {host.name}: {said}; start it (systemctl start docker) and look at its log"


def _clock(text: str) -> float:
    """What date printed; BusyBox's knows no fractions and prints their sign."""
    return float(text.rstrip("%N."))


def _beyond(least: float, most: float) -> float:
    """The smallest distance from 0 of what lies between two numbers."""
    return least if least > 0 else most if most < 0 else 0.0


def _image(line: str) -> Image:
    id, *names = line.split()
    return Image(id, tuple(names))


def _dump(line: str) -> Dump:
    written, size, path = line.split("\t", 2)
    return Dump(path, float(written), int(size))


def container_from(raw: dict[str, Any], environment: dict[str, str]) -> Container:
    """A container from one object of the readings' templates and its (masked) variables."""
    state = raw.get("state") or {}
    health = state.get("Health") or {}
    tries = health.get("Log") or []
    labels = raw.get("labels") or {}
    return Container(
        id=raw["id"],
        name=raw["name"].lstrip("/"),
        project=labels.get("com.docker.compose.project", ""),
        service=observed_service(raw, environment),
        status=state.get("Status", ""),
        running=bool(state.get("Running")),
        restarting=bool(state.get("Restarting")),
        exit_code=int(state.get("ExitCode", 0)),
        error=state.get("Error", ""),
        out_of_memory=bool(state.get("OOMKilled")),
        restarts=int(raw.get("restarts", 0)),
        started_at=state.get("StartedAt", ""),
        health=health.get("Status"),
        health_output=(tries[-1].get("Output", "") if tries else "").strip()[:300],
        image_id=raw.get("image_id", ""),
        addresses={
            name: options["IPAddress"]
            for name, options in (raw.get("networks") or {}).items()
            if options and options.get("IPAddress")
        },
        published={
            target: tuple((each.get("HostIp", ""), each.get("HostPort", "")) for each in bindings)
            for target, bindings in (raw.get("ports") or {}).items()
            if bindings
        },
    )


def _declaration(text: str) -> tuple[Model | None, str]:
    if not text.strip():
        return None, ""
    try:
        return declared(json.loads(text[text.index("{") :])), ""
    except ValueError:
        return None, redact(text.strip())[:500]


def _text(line: str) -> ComposeText:
    path, status, lines = (line.split("\t") + ["", ""])[:3]
    return ComposeText(path, status.split(" ")[0], tuple(int(number) for number in lines.split()))


def _source(line: str) -> KeyFile:
    parts = line.split("\t")
    path, mode, owner, size, kind = parts[:5]
    details = parts[5:] if len(parts) >= 9 else ["", "", "", ""]
    header, text, consistent, digest = details[:4]
    return KeyFile(
        path=path,
        mode=mode,
        owner=owner,
        size=int(size) if size.isdigit() else 0,
        kind=kind,
        header=header,
        text=text,
        consistent=consistent == "yes",
        digest="" if digest == _EMPTY_DIGEST else digest,
    )


_EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def _disks(text: str):
    for line in text.splitlines()[1:]:
        parts = line.split()
        if len(parts) >= 6 and parts[3].isdigit():
            yield Disk(parts[5], int(parts[3]) // 1024)


def _database(named: dict[str, str]) -> tuple[dict[str, Any] | None, str]:
    answers: dict[str, Any] = {}
    problems = []
    for text in named.values():
        for line in text.splitlines():
            name, tab, value = line.partition("\t")
            if tab and name.isidentifier():
                try:
                    answers[name] = json.loads(value)
                except json.JSONDecodeError:
                    problems.append(line)
            elif line.strip():
                problems.append(line.strip())
    return answers or None, redact("; ".join(problems))[:500]


def _redis(named: dict[str, str]) -> tuple[dict[str, Any] | None, str]:
    for text in named.values():
        try:
            return json.loads(text), ""
        except json.JSONDecodeError:
            return None, redact(text.strip())[:300]
    return None, ""


def _proxy(text: str) -> dict[str, Any] | None:
    """Traefik's routers and services, or None where its API doesn't answer."""
    parts = [json.loads(line) for line in text.splitlines() if line.strip().startswith("[")]
    return {"routers": parts[0], "services": parts[1]} if len(parts) == 2 else None


def _json_or_error(text: str) -> dict[str, Any]:
    try:
        return json.loads(text[text.index("{") :])
    except ValueError:
        return {"error": redact(text.strip())[-300:]}
