"""Which router answers a request, and the path that its service gets, as far as labels show it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from lago_acceptance.core.value_shapes import GIVEN_LATER, unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import LabelRouter, Step, disabled, listed, routers, steps
from lago_acceptance.model.traefik_rule import parsed, takes

# Kinds that don't change which path Lago is asked for, and keep nobody out.
_HARMLESS = (
    "headers",
    "compress",
    "ratelimit",
    "inflightreq",
    "buffering",
    "retry",
    "circuitbreaker",
    "errors",
)
# Names of middlewares that are defined elsewhere.
_SOUNDS_HARMLESS = re.compile(r"header|compress|gzip|rate|limit|cors|hsts|retry|buffer", re.IGNORECASE)
_CHANGES_PATH = ("stripprefixregex", "replacepath", "replacepathregex", "addprefix", "plugin")


class Taken(msgspec.Struct, frozen=True):
    """The router that takes a request, and the path that reaches its service; "" if that can't be known."""

    router: LabelRouter
    path: str


class Way(msgspec.Struct, frozen=True):
    """A way from the internet to a path of a service: through this router, under this name and path."""

    router: LabelRouter
    host: str
    path: str


def taken(model: Model, host: str, path: str) -> Taken | None:
    """The router that takes a https request; None where none has the host, or where the labels leave it open."""
    fitting = []
    for router in _active(model):
        if host not in router.hosts or redirects(model, router):
            continue
        fits = _takes(router, host, path, "POST")
        if fits is None:
            return None
        if fits:
            fitting.append(router)
    secured = [router for router in fitting if router.tls] or fitting
    if not _comparable(secured):
        return None
    highest = max((router.priority for router in secured), default=0)
    winners = [router for router in secured if router.priority == highest]
    if len({router.owner.name for router in winners}) != 1:
        return None
    return Taken(winners[0], _arriving(steps(model, winners[0]), path))


def ways_to(model: Model, role: str, path: str) -> Iterator[Way]:
    """The ways from the internet to a path of a role's services that no router closes.

    A router of which it isn't clear what it does, such as one with a middleware of another file, is taken as closing.
    """
    everyone = _active(model)
    for router in everyone:
        passed = steps(model, router)
        if router.owner.role != role or router.service.endswith("@internal") or not _lets_pass(passed):
            continue
        for outside in [prefix + path for prefix in _prefixes(passed)] or [path]:
            for host in router.hosts or ("",):
                if _first(everyone, router, host, outside) is router:
                    yield Way(router, host, outside)


def _active(model: Model) -> list[LabelRouter]:
    return [router for service in model.services if not disabled(service) for router in routers(service)]


def _takes(router: LabelRouter, host: str, path: str, method: str) -> bool | None:
    rule = parsed(router.rule)
    return None if rule is None else takes(rule, host, path, method)


def _first(everyone: list[LabelRouter], own: LabelRouter, host: str, path: str) -> LabelRouter | None:
    """The router that answers a path of a host where ``own`` could; None where that isn't clear."""
    if not _takes(own, host, path, "GET"):
        return None
    points = set(own.entrypoints)
    rivals = {
        router.name: (router, _takes(router, host, path, "GET"))
        for router in everyone
        if (host in router.hosts or not router.hosts)
        and (not points or not router.entrypoints or points & set(router.entrypoints))
    }
    if any(fits is None for _, fits in rivals.values()) or not _comparable(
        [each for each, _ in rivals.values()]
    ):
        return None
    return max((router for router, fits in rivals.values() if fits), key=lambda router: router.priority)


def _comparable(rivals: list[LabelRouter]) -> bool:
    """Whether it is known which router comes first: how long a rule is may depend on what is set at the deploy."""
    unknowns = {each.rule.count(GIVEN_LATER) for each in rivals if not each.given_priority}
    return len(unknowns) < 2


def redirects(model: Model, router: LabelRouter) -> bool:
    """Whether a middleware of the router answers each request with a redirect."""
    return any(kind.startswith("redirect") for each in steps(model, router) for kind in each.kinds)


def _prefixes(passed: list[Step]) -> list[str]:
    """The prefixes that middlewares strip from a path."""
    written = [each.option("stripprefix", "prefixes") for each in passed]
    return [prefix.rstrip("/") for text in written for prefix in listed(text)]


def _lets_pass(passed: list[Step]) -> bool:
    return all(
        set(each.kinds) <= {*_HARMLESS, "stripprefix"}
        if each.middleware
        else _SOUNDS_HARMLESS.search(each.name)
        for each in passed
    )


def _arriving(passed: list[Step], path: str) -> str:
    """The path that is left behind the middlewares, "" where one of them may change it in a way that isn't followed."""
    for each in passed:
        if not each.middleware or any(kind in _CHANGES_PATH for kind in each.kinds):
            return ""
        for prefix in listed(each.option("stripprefix", "prefixes")):
            if unknown(prefix):
                return ""
            if path.startswith(prefix.rstrip("/") or "/"):
                path = "/" + path[len(prefix.rstrip("/")) :].lstrip("/")
                break
    return path
