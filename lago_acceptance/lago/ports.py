"""The port that a container of Lago, or of one of its stores, listens on."""

from __future__ import annotations

import re

from lago_acceptance.core.roles import API, DB, FRONT, PDF, REDIS
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.startup import file_text, outcome_of
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.shell.dataflow import ShellState
from lago_acceptance.shell.words import name_of

DEFAULTS = {DB: 5432, REDIS: 6379, API: 3000, FRONT: 80, PDF: 3000}
# Variables that images read for it, the image's own before the program's.
_VARIABLES = {
    DB: ("POSTGRESQL_PORT_NUMBER", "PGPORT"),
    REDIS: ("REDIS_PORT_NUMBER", "VALKEY_PORT_NUMBER"),
    API: ("PORT",),
    PDF: ("API_PORT",),
}
_PROGRAMS = {
    DB: ("postgres", "docker-entrypoint.sh", "run.sh", "entrypoint.sh"),
    REDIS: ("redis-server", "redis-stack-server", "valkey-server", "keydb-server", "docker-entrypoint.sh"),
    API: ("rails", "bundle", "puma", "rackup"),
    PDF: ("gotenberg",),
}
# Options with the port: on its own, and as part of another option's value.
_OPTIONS = {
    DB: re.compile(r"(?<=\s)(?:-p ?|--port[ =]|-c ?port ?= ?)(\d\S*|\$\S+)"),
    REDIS: re.compile(r"(?<=\s)--port (\S+)"),
    API: re.compile(r"(?:(?<=\s)-p ?|(?<=\s)--port[ =]|tcp://\S*:)(\d\S*|\$\S+)"),
    PDF: re.compile(r"(?<=\s)--api-port[ =](\S+)"),
}
_EXTRA_FLAGS = ("REDIS_EXTRA_FLAGS", "VALKEY_EXTRA_FLAGS", "REDIS_ARGS")
_NGINX_FILE = re.compile(r"/etc/nginx(/nginx\.conf|/conf\.d(/.*)?|/templates(/.*)?|/http\.d(/.*)?)?/?")
_NGINX_CHANGED = re.compile(r"nginx\.conf|/conf\.d|\bsed\b|\blisten\b")
_LISTEN = re.compile(r"(?m)^\s*listen\s+(?:\[?[\d.:*]+\]?:)?(\d+)\b")


def listens_on(service: Service, model: Model) -> int | None:
    """The port on which other containers reach a service; None where it has none, or where it can't be known.

    The worker and the clock have none: the worker's port 8080 is open inside its container only.
    """
    role = service.role or ""
    if role == FRONT:
        return _of_nginx(service, model)
    if role not in DEFAULTS or (service.built and not service.command and not service.entrypoint):
        return None
    outcome = outcome_of(service, model)
    return _number(_given(service, role, model, outcome), DEFAULTS[role])


def shown_ports(service: Service) -> list[int]:
    """The ports that Docker shows of a container: those of its image and of the compose file. Lago's API exposes none."""
    of_image = () if service.role == API else (80,)
    return sorted({*of_image, *service.expose, *(port.target for port in service.ports)})


def _given(service: Service, role: str, model: Model, outcome: ShellState) -> str | None:
    """The port as options, files or variables give it, "" where nothing gives one, None where that can't be known."""
    words = [
        program for program in outcome.programs if program and name_of(program[0]) in _PROGRAMS[role]
    ] or ([service.command] if not service.entrypoint else [])
    line = " ".join(word for program in words for word in program)
    if role == REDIS:
        line = " ".join([line, *map(service.value, _EXTRA_FLAGS)])
        if "--tls-port" in line:
            return None
    if given := _OPTIONS[role].findall(f" {line}"):
        return str(given[-1]).strip("\"'")
    if (by_file := _of_file(service, role, model, line)) != "":
        return by_file
    for name in _VARIABLES[role]:
        value = outcome.variables.get(name)
        if value is not None and value.literal != "":
            return value.literal
    return None if outcome.unseen else ""


def _of_file(service: Service, role: str, model: Model, line: str) -> str | None:
    """The port that a configuration file may give, "" where there is none, None where it can't be read."""
    if role == REDIS:
        paths = re.findall(r"(\S+\.conf)\b", line)
    elif role == DB:
        paths = [
            mount.target
            for mount in service.mounts
            if re.search(r"(postgresql\.conf|conf\.d/?$|/conf/?$)", mount.target)
        ] + re.findall(r"config[_-]file ?= ?(\S+)", line)
    elif role == API:
        paths = [mount.target for mount in service.mounts if mount.target.endswith("puma.rb")]
        paths += re.findall(r"(?:-C ?|--config[ =])(?!config/puma\.rb)(\S+)", line)
    else:
        paths = []
    for path in paths:
        text = file_text(service, model, path).literal
        if not text or role == API:
            return None
        if found := re.findall(r"(?m)^\s*port\s*[= ]\s*'?(\d+)", text):
            return str(found[-1])
    return ""


def _of_nginx(service: Service, model: Model) -> int | None:
    """The front's port: that of its image's nginx, unless the configuration is another one."""
    # A running container has an entry point in any case: its image's.
    changed = _NGINX_CHANGED.search(service.full_command) if model.observed else service.entrypoint
    if service.built or changed:
        return None
    own = [mount for mount in service.mounts if _NGINX_FILE.fullmatch(mount.target)]
    ports = {
        int(port)
        for mount in own
        for port in _LISTEN.findall(file_text(service, model, mount.target).literal or "")
    }
    return DEFAULTS[FRONT] if not own else ports.pop() if len(ports) == 1 else None


def _number(given: str | None, default: int) -> int | None:
    if given is None or unknown(given):
        return None
    if given == "":
        return default
    return int(given) if given.isdigit() and int(given) else None
