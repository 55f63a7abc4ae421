"""Where a service listens, and which paths it answers with success (docs/lago-facts.md, sections 1, 3 and 8)."""

from __future__ import annotations

import re

from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.releases import nearest, release_of
from lago_acceptance.lago.sidekiq import without_bundler
from lago_acceptance.lago.startup import outcome_of
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.shell.words import name_of

# Since this release the worker answers health checks.
_LIVENESS_SINCE = (1, 6, 0)
_PORT_OPTIONS = {
    DB: r"(?:^| )(?:-p ?|--port[= ]|-c ?port=|--port=)(\S+)",
    REDIS: r"(?:^| )--port[= ](\S+)",
    PDF: r"(?:^| )--api-port[= ](\S+)",
    API: r"(?:^| )(?:-p ?|--port[= ])(\S+)",
}
_PORT_VARIABLES = {DB: "PGPORT", API: "PORT"}
_DEFAULTS = {DB: 5432, REDIS: 6379, PDF: 3000, API: 3000}
# Gotenberg's own; anything else is 404.
_GOTENBERG = re.compile(r"/(|health|version|debug|prometheus/metrics|forms/.*)")
# What may answer with success depends on more than the path.
_API_DEPENDS = re.compile(r"/(rails|sidekiq|metrics|cable|karafka|graphiql|assets)(/.*)?|/[^/]*\.\w+")


def ports_of(service: Service, model: Model, settings: Settings) -> frozenset[int] | None:
    """The TCP ports that a service listens on inside of its container; None where that isn't known."""
    if service.built or service.network_mode:
        return None
    match service.role:
        case "worker":
            release = release_of(service, settings)
            if not stock_image(service) or release is None:
                return None
            return frozenset({8080} if release.numbers >= _LIVENESS_SINCE else ())
        case "clock":
            return frozenset() if stock_image(service) else None
        case "front":
            own = any(mount.target.startswith("/etc/nginx") for mount in service.mounts)
            changed = own or (service.entrypoint and not model.observed) or "/front" not in service.image
            return None if changed else frozenset({80})
        case "api":
            return _api_ports(service, model)
        case "db" | "redis" | "pdf":
            return _own_ports(service)
    return None


def _own_ports(service: Service) -> frozenset[int] | None:
    """The port of a store or of Gotenberg."""
    official = {
        DB: r"(^|/)(postgres|postgres-partman|timescaledb|postgis)[:@]",
        REDIS: r"(^|/)(redis|valkey)[:@]",
        PDF: r"gotenberg",
    }
    text = service.full_command
    if not re.search(official[service.role or ""], service.image) or "-from-env" in text:
        return None
    configured = service.role == REDIS and re.search(r"\.conf\b", text)
    configured = configured or (service.role == DB and re.search(r"config_file", text))
    return None if configured else _given(service, text)


def _api_ports(service: Service, model: Model) -> frozenset[int] | None:
    if not stock_image(service) or service.working_dir not in ("", "/app"):
        return None
    state = outcome_of(service, model)
    programs = [without_bundler(each) for each in state.programs if each]
    serving = [
        each
        for each in programs
        if name_of(each[0]) in ("start.api.sh", "start.sh", "puma")
        or (name_of(each[0]) == "rails" and each[1:2] in (("s",), ("server",)))
    ]
    own = not service.entrypoint and not service.command
    if (len(serving) != 1 and not own) or state.unseen:
        return None
    program = serving[0] if serving else ("./scripts/start.sh",)
    if service.mount_at("/app/config/puma.rb") or service.mount_at(f"/app/{program[0].removeprefix('./')}"):
        return None
    text = " ".join(program)
    if "tcp://" in text or re.search(r"(^| )-C", text):
        return None
    exported = state.variables.get("PORT")
    given = exported.literal if exported else service.value("PORT")
    if exported and exported.literal is None:
        return None
    return _given(service, text if not name_of(program[0]).endswith(".sh") else "", given)


def _given(service: Service, text: str, variable: str | None = None) -> frozenset[int] | None:
    """The port that a command or a variable gives, else the default."""
    role = service.role or ""
    found = re.findall(_PORT_OPTIONS[role], text)
    value = found[-1] if found else variable or service.value(_PORT_VARIABLES.get(role, ""))
    if unknown(value) or (value and not value.isdigit()):
        return None
    return frozenset({int(value) if value else _DEFAULTS[role]})


def status_of(
    service: Service, path: str, settings: Settings, *, keyed: bool = False, sends: bool = False
) -> int | None:
    """The status that a service answers to a GET of a path, None where it isn't known.

    ``keyed``: with a header of authorization. ``sends``: another method, or a body.
    """
    path = re.split(r"[?#]", path, maxsplit=1)[0] or "/"
    if service.role in (FRONT, WORKER):
        return 200
    if service.role == PDF:
        own_root = "root-path" in service.full_command or service.value("API_ROOT_PATH")
        return None if own_root or sends else 200 if _GOTENBERG.fullmatch(path) else 404
    if service.role != API or not stock_image(service):
        return None
    release = release_of(service, settings) or nearest((9999,))
    known = release_of(service, settings) is not None
    if path == "/health":
        return 200
    if path == "/ready":
        return 200 if release and release.ready_path == path else 404 if known else None
    if path.rstrip("/") in ("/health", "/ready") or _API_DEPENDS.fullmatch(path):
        return None
    if path == "/api/v1/health":
        return 404
    if re.match(r"/api/v\d+/.", path):
        return None if keyed else 401
    if path == "/graphql" and sends:
        return None
    return 404


# Which roles' healthchecks are judged by what listens in their container.
LISTENERS = (API, WORKER, CLOCK, FRONT, PDF, DB, REDIS)
