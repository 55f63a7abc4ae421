"""Rules about the middlewares in Traefik's labels."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import (
    LabelRouter,
    Middleware,
    by_labels,
    disabled,
    label_at,
    listed,
    middlewares,
    middlewares_of,
    passed,
    routers,
)
from lago_acceptance.model.traefik_proxy import proxy
from lago_acceptance.model.traefik_rule import parsed, takes
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import all_routers


def _undefined(router: LabelRouter, model: Model) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """The middlewares that a router needs and no label defines, with the label that names each."""
    defined = middlewares(model)
    for name in router.middlewares:
        if by_labels(name) and by_labels(name) not in defined:
            yield name, router.label("middlewares")
    for each in passed(model, router).values():
        for name in listed(each.options.get("chain", {}).get("middlewares", "")):
            if by_labels(name) and by_labels(name) not in defined:
                yield name, label_at(each.owner, f"traefik.http.middlewares.{each.name}.chain.middlewares")


@rule(phase=3, follows=("service-not-started",))
def middleware_undefined(model: Model, settings: Settings) -> Iterator[Violation]:
    """Routers only use middlewares that exist, each of one kind.

    A name without `@` is defined by labels, `name@file` in Traefik's own files, which aren't judged. Labels of a container
    with traefik.enable=false define nothing. If Traefik isn't part of the deployment, the labels of another project may
    define the middleware: then this is a warning, unless a name in this file is nearly the same.
    """
    yield from _of_two_kinds(model)
    inside = proxy(model, settings).inside
    ignored = {each.name: service for service in model.services for each in middlewares_of(service)}
    told: set[tuple[str, str]] = set()
    for router in all_routers(model):
        if disabled(router.owner):
            continue
        for name, at in _undefined(router, model):
            if (router.owner.name, name) in told:
                continue
            told.add((router.owner.name, name))
            bare = by_labels(name)
            holder = ignored.get(bare)
            near = difflib.get_close_matches(bare, middlewares(model), 1, 0.75)
            if holder:
                why = f"defined by {holder.name} only, whose labels Traefik doesn't read"
                fix = "define it at a service with traefik.enable=true that is always up"
            else:
                why = "which no label defines"
                fix = f"write {near[0]}" if near else f"define it: traefik.http.middlewares.{bare}.<kind>…"
                fix += "" if near else f", or name where it is defined, as in {bare}@file"
            yield Violation(
                service=router.owner,
                at=at,
                severity=None if inside or holder or near else Severity.WARNING,
                problem=f"router {router.name} uses the middleware {name}, {why}",
                impact="Traefik drops the router: 404 at its public name",
                fix=fix,
            )


def _of_two_kinds(model: Model) -> Iterator[Violation]:
    for router in all_routers(model):
        for each in passed(model, router).values() if not disabled(router.owner) else ():
            kinds = list(each.options)
            if len(kinds) > 1:
                yield Violation(
                    service=router.owner,
                    at=router.label("middlewares"),
                    problem=f"router {router.name} uses the middleware {each.name}, which is {' and '.join(kinds)} at once",
                    impact="Traefik drops the router (multi-types middleware not supported): 404 at its public name",
                    fix=f"give each its own name, and list both: {each.name}-{kinds[0]},{each.name}-{kinds[1]}",
                )


_LOGINS = {
    "basicauth": "asks for a user and a password",
    "digestauth": "asks for a user and a password",
    "forwardauth": "asks another service for a login",
}
_LISTS = ("ipallowlist", "ipwhitelist")
# With Cloudflare's addresses a list keeps out who goes around Cloudflare, and no caller.
_EVERYONE = ("0.0.0.0/0", "::/0", "0.0.0.0/1", "173.245.48.0/20", "104.16.0.0/13", "2400:cb00::/32")
# One path of each caller: the page in the browser, and the programs that use the API.
_PATHS = ("/graphql", "/api/v1/events")


@rule(phase=3)
def api_behind_login(model: Model, settings: Settings) -> Iterator[Violation]:
    """The proxy doesn't ask the API's callers for a login of its own, and lets them all through.

    Lago checks an API key or the token of its page in the header that a login of the proxy takes for itself. A login before
    other paths, like /sidekiq, is not judged.
    """
    for service in model.of_role(API):
        if disabled(service):
            continue
        told = set()
        for router in _first_choices(routers(service)):
            for each in passed(model, router).values():
                if each.name in told or not (problem := _barrier(each)):
                    continue
                told.add(each.name)
                login = "basicauth" in each.options or "digestauth" in each.options
                yield Violation(
                    service=service,
                    at=router.label("middlewares"),
                    severity=None if login else Severity.WARNING,
                    problem=f"router {router.name} passes the middleware {each.name}, which {problem}",
                    impact="it takes the Authorization header that Lago needs: API calls and the page's requests get 401"
                    if login
                    else "API calls, the page in the browser and webhooks of payment providers get 401, 403 or a login page",
                    fix="remove it from that router: Lago has its own keys and logins. To protect /sidekiq or /metrics, "
                    "give those paths a router of their own",
                )


def _first_choices(every: tuple[LabelRouter, ...]) -> list[LabelRouter]:
    """The routers that take Lago's own paths: on each entry point the one with the highest priority."""
    found: dict[str, LabelRouter] = {}
    points = dict.fromkeys(point for router in every for point in (router.entrypoints or ("",)))
    for point in points:
        for path in _PATHS:
            fitting = [
                router
                for router in every
                if router.rule
                and point in (router.entrypoints or ("", point))
                and (rule := parsed(router.rule))
                and takes(rule, next(iter(router.hosts), ""), path)
            ]
            if fitting:
                best = max(fitting, key=lambda router: router.priority)
                found[best.name] = best
    return list(found.values())


def _barrier(each: Middleware) -> str:
    """What keeps callers out at a middleware, "" if nothing does."""
    for kind, asks in _LOGINS.items():
        if kind in each.options:
            return asks
    for kind in _LISTS:
        options = each.options.get(kind) or {}
        ranges = [
            one for key, value in options.items() if key.startswith("sourcerange") for one in listed(value)
        ]
        if ranges and not any(one in _EVERYONE or unknown(one) for one in ranges):
            return f"lets only {', '.join(ranges[:3])}{'…' if len(ranges) > 3 else ''} through"
    return ""
