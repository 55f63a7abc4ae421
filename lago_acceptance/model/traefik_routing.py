"""Which router takes a request, and the path that its service gets, as far as labels show it."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import LabelRouter, disabled, labels_of, routers

_PATH = re.compile(r"(!?)\s*(Path|PathPrefix)\(([^)]*)\)")
_UNREADABLE = re.compile(r"!|PathRegexp|HostRegexp|\{|Header|Query|Method|ClientIP")


class Taken(msgspec.Struct, frozen=True):
    """The router that takes a request, and the path that reaches its service; "" if that can't be known."""

    router: LabelRouter
    path: str


def taken(model: Model, host: str, path: str) -> Taken | None:
    """The router that takes a https request; None where none has the host, or where the labels leave it open."""
    candidates = []
    for service in model.services:
        if disabled(service):
            continue
        for router in routers(service):
            if host not in router.hosts or _redirects(model, router):
                continue
            if _UNREADABLE.search(router.rule):
                return None
            fits = _fits(router.rule, path)
            if fits is None:
                return None
            if fits:
                candidates.append((_priority(router), router))
    if not candidates:
        return None
    if any(router.tls for _, router in candidates):
        candidates = [each for each in candidates if each[1].tls]
    highest = max(priority for priority, _ in candidates)
    winners = [router for priority, router in candidates if priority == highest]
    if highest < 0 or len({router.owner.name for router in winners}) > 1:
        return None
    return Taken(winners[0], _stripped(model, winners[0], path))


def _fits(rule: str, path: str) -> bool | None:
    """Whether the path matchers of a rule take a path; None where they are given at deploy time."""
    matchers = [(kind, _names(inside)) for _, kind, inside in _PATH.findall(rule)]
    if any(unknown(name) for _, names in matchers for name in names):
        return None
    return not matchers or any(
        path == name if kind == "Path" else path.startswith(name)
        for kind, names in matchers
        for name in names
    )


def _names(inside: str) -> list[str]:
    return [name.strip(" `'\"") for name in inside.split(",") if name.strip(" `'\"")]


def _priority(router: LabelRouter) -> int:
    given = labels_of(router.owner).get(f"traefik.http.routers.{router.name}.priority", "")
    return int(given) if given.isdigit() and int(given) else -1 if given else len(router.rule)


def _middlewares(model: Model, router: LabelRouter) -> list[tuple[str, dict[str, str]]]:
    """The middlewares of a router in order, chains followed, each with its options; none where it isn't in the file."""
    options: dict[str, dict[str, str]] = {}
    for service in model.services:
        for key, value in labels_of(service).items():
            if key.startswith("traefik.http.middlewares.") and key.count(".") >= 4:
                name, _, option = key.removeprefix("traefik.http.middlewares.").partition(".")
                options.setdefault(name, {})[option] = value
    found: list[tuple[str, dict[str, str]]] = []
    wanted = list(router.middlewares)
    while wanted and len(found) < 50:
        name = wanted.pop(0).lower().removesuffix("@docker")
        own = options.get(name, {})
        found.append((name, own))
        wanted = [
            each.strip() for each in own.get("chain.middlewares", "").split(",") if each.strip()
        ] + wanted
    return found


def _redirects(model: Model, router: LabelRouter) -> bool:
    return any(key.startswith("redirect") for _, own in _middlewares(model, router) for key in own)


def _stripped(model: Model, router: LabelRouter, path: str) -> str:
    for _, own in _middlewares(model, router):
        if not own or any(
            key.startswith(("stripprefixregex", "replacepath", "addprefix", "plugin")) for key in own
        ):
            return ""
        for prefix in _names(own.get("stripprefix.prefixes", "")):
            if unknown(prefix):
                return ""
            if path.startswith(prefix.rstrip("/") or "/"):
                path = "/" + path[len(prefix.rstrip("/")) :].lstrip("/")
                break
    return path
