"""Which router answers a path: Traefik's rules, priorities and middlewares, as far as labels show them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import LabelRouter, disabled, labels_of, routers

_TOKEN = re.compile(r"\s*(?:(&&|\|\||!|\(|\))|(\w+)\(([^()]*(?:\([^()]*\)[^()]*)*)\))")
_MIDDLEWARE = re.compile(r"traefik\.http\.middlewares\.([^.]+)\.([^.]+)\.?(.*)")
# Middlewares that don't change which path Lago is asked for, and keep nobody out.
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
# Of middlewares that are defined elsewhere.
_SOUNDS_HARMLESS = re.compile(r"header|compress|gzip|rate|limit|cors|hsts|retry|buffer", re.IGNORECASE)


class Way(msgspec.Struct, frozen=True):
    """A way from the internet to a path of a service: through this router, under this name and path."""

    router: LabelRouter
    host: str
    path: str


def admits(rule: str, path: str) -> bool | None:
    """Whether a router's rule matches requests for a path of its host, None where that isn't clear."""
    tokens, at = [], 0
    while at < len(rule.rstrip()):
        found = _TOKEN.match(rule, at)
        if not found:
            return None
        tokens.append((found[1], found[2], found[3]))
        at = found.end()
    value, rest = _either(tokens, path)
    return None if rest else value


Tokens = list[tuple[str | None, str | None, str | None]]


def _either(tokens: Tokens, path: str) -> tuple[bool | None, Tokens]:
    value, rest = _both(tokens, path)
    while rest and rest[0][0] == "||":
        other, rest = _both(rest[1:], path)
        value = True if True in (value, other) else None if None in (value, other) else False
    return value, rest


def _both(tokens: Tokens, path: str) -> tuple[bool | None, Tokens]:
    value, rest = _one(tokens, path)
    while rest and rest[0][0] == "&&":
        other, rest = _one(rest[1:], path)
        value = False if False in (value, other) else None if None in (value, other) else True
    return value, rest


def _one(tokens: Tokens, path: str) -> tuple[bool | None, Tokens]:
    if not tokens:
        return None, []
    sign, name, inside = tokens[0]
    if sign == "!":
        value, rest = _one(tokens[1:], path)
        return (None if value is None else not value), rest
    if sign == "(":
        value, rest = _either(tokens[1:], path)
        return value, rest[1:]
    return _matches((name or "").lower(), inside or "", path), tokens[1:]


def _matches(name: str, inside: str, path: str) -> bool | None:
    words = [word.strip(" `'\"") for word in inside.split(",")]
    if name in ("host", "hostregexp", "hostheader"):
        return True
    if any(unknown(word) or "{" in word for word in words):
        return None
    if name == "pathprefix":
        return any(path.startswith(word) for word in words)
    if name == "path":
        return path in words
    if name == "pathregexp":
        try:
            return any(re.search(word, path) for word in words)
        except re.error:
            return None
    return True if name == "method" and "GET" in words else None


def middlewares(model: Model) -> dict[str, dict[str, str]]:
    """The options of each middleware that labels define, by its name: ``{"ipallowlist.sourcerange": ...}``."""
    found: dict[str, dict[str, str]] = {}
    for service in model.services:
        for key, value in labels_of(service).items():
            if match := _MIDDLEWARE.fullmatch(key):
                option = f"{match[2]}.{match[3]}".rstrip(".")
                found.setdefault(match[1], {})[option] = value
    return found


def ways_to(model: Model, role: str, path: str) -> Iterator[Way]:
    """The ways from the internet to a path of a role's services that no router closes.

    A router of which it isn't clear what it does, such as one with a middleware of another file, is taken as closing.
    """
    defined = middlewares(model)
    everyone = [router for service in model.services if not disabled(service) for router in routers(service)]
    for router in everyone:
        if router.owner.role != role:
            continue
        kinds = _kinds(router.middlewares, defined)
        for prefix in _stripped(kinds) or [""]:
            outside = prefix + path
            for host in router.hosts or ("",):
                first = _first(everyone, router, host, outside)
                if first is router and _lets_pass(kinds) and not router.service.endswith("@internal"):
                    yield Way(router, host, outside)


def _first(everyone: list[LabelRouter], own: LabelRouter, host: str, path: str) -> LabelRouter | None:
    """The router that answers a path of a host where ``own`` could; None where that isn't clear."""
    if admits(own.rule, path) is not True:
        return None
    points = set(own.entrypoints)
    rivals = [
        router
        for router in everyone
        if (host in router.hosts or not router.hosts)
        and (not points or not router.entrypoints or points & set(router.entrypoints))
        and admits(router.rule, path) is not False
    ]
    if any(_priority(router) is None or admits(router.rule, path) is None for router in rivals):
        return None
    return max(rivals, key=lambda router: _priority(router) or 0)


def _priority(router: LabelRouter) -> int | None:
    written = labels_of(router.owner).get(f"traefik.http.routers.{router.name}.priority", "")
    if not written or written == "0":
        return len(router.rule)
    return int(written) if re.fullmatch(r"-?\d+", written) else None


def _kinds(names: tuple[str, ...], defined: dict[str, dict[str, str]]) -> list[tuple[str, str]]:
    """Kind and value of each option of the middlewares, those of chains included; ("", "") for one that isn't known."""
    found: list[tuple[str, str]] = []
    for name in names:
        options = defined.get(name.lower().removesuffix("@docker"))
        if options is None and _SOUNDS_HARMLESS.search(name):
            continue
        for option, value in (options or {"": ""}).items():
            if option == "chain.middlewares":
                chain = tuple(word.strip() for word in value.split(",") if word.strip() != name)
                found += _kinds(chain, {key: each for key, each in defined.items() if each is not options})
            else:
                found.append((option, value))
    return found


def _stripped(kinds: list[tuple[str, str]]) -> list[str]:
    return [
        prefix.strip().rstrip("/")
        for option, value in kinds
        if option == "stripprefix.prefixes"
        for prefix in value.split(",")
    ]


def _lets_pass(kinds: list[tuple[str, str]]) -> bool:
    return all(option.partition(".")[0] in (*_HARMLESS, "stripprefix") for option, _ in kinds)
