"""Where a service listens, and which paths it answers with success (docs/lago-facts.md, sections 1, 3 and 8)."""

from __future__ import annotations

import re

from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, PDF, REDIS, WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.lago.ports import listens_on
from lago_acceptance.lago.releases import nearest, release_of
from lago_acceptance.lago.sidekiq import without_bundler
from lago_acceptance.lago.startup import outcome_of
from lago_acceptance.lago.versions import stock_image
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.shell.words import name_of

# Since this release the worker answers health checks.
_LIVENESS_SINCE = (1, 6, 0)
_OFFICIAL = {
    DB: re.compile(r"(^|/)(postgres|postgres-partman|timescaledb|postgis)[:@]"),
    REDIS: re.compile(r"(^|/)(redis|valkey)[:@]"),
    PDF: re.compile(r"gotenberg"),
}
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
            known = "/front" in service.image
        case "api":
            known = _serves(service, model)
        case "db" | "redis" | "pdf":
            known = (
                bool(_OFFICIAL[service.role].search(service.image))
                and "-from-env" not in service.full_command
            )
        case _:
            known = False
    port = listens_on(service, model) if known else None
    return None if port is None else frozenset({port})


def _serves(service: Service, model: Model) -> bool:
    """Whether a service runs Lago's own server, and nothing else that may listen."""
    if not stock_image(service) or service.working_dir not in ("", "/app"):
        return False
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
        return False
    program = serving[0] if serving else ("./scripts/start.sh",)
    return service.mount_at(f"/app/{program[0].removeprefix('./')}") is None


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
