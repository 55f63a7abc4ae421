"""Rules about what the rules of Traefik's routers match."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import ServiceUrl
from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.traefik_labels import LabelRouter, disabled, routers, services_of
from lago_acceptance.model.traefik_proxy import ProxySettings, proxy
from lago_acceptance.model.traefik_routing import redirects, taken
from lago_acceptance.model.traefik_rule import (
    IN_BOTH,
    SINCE_3,
    UNTIL_2,
    VARIABLE,
    Matcher,
    matchers,
    parsed,
    takes,
)
from lago_acceptance.rules import Violation, rule
from lago_acceptance.rules.helpers import all_routers
from lago_acceptance.rules.helpers.hosts import url_of


def _syntax(router: LabelRouter, known: ProxySettings) -> int | None:
    """The version of the syntax in which Traefik reads a rule, None if it isn't known."""
    asked = router.syntax or known.option("core.defaultrulesyntax").lower()
    if asked in ("v2", "v3"):
        return int(asked[1])
    return None if asked else known.version


def _fault(matcher: Matcher, version: int) -> tuple[str, str, str] | None:
    """What a version of Traefik can't do with a matcher: (problem, impact, fix)."""
    name, given = matcher.name, matcher.arguments
    refused = f"Traefik {version} drops the router: 404 at its public name"
    if version == 3 and name in UNTIL_2:
        return f"{name} is a matcher of Traefik 2", refused, f"write {UNTIL_2[name]}"
    if version == 2 and name in SINCE_3:
        return f"{name} is a matcher of Traefik 3", refused, "use a matcher of Traefik 2, or Traefik 3"
    if version == 3 and len(given) not in {**IN_BOTH, **SINCE_3}[name]:
        each = f" {'&&' if name == 'ClientIP' else '||'} ".join(f"{name}(`{one}`)" for one in given)
        if name == "Header":
            return "Header takes a name and a value", refused, "give both"
        return f"{name} has {len(given)} values, and Traefik 3 takes one", refused, f"write {each}"
    literal = f"Traefik {version} compares it literally: the router takes no request, 404 at its public name"
    variable = next((one for one in given if VARIABLE.search(one)), None)
    if version == 3 and variable and name in ("Host", "HostRegexp", "Path", "PathPrefix"):
        regexp = {"Host": "HostRegexp", "Path": "PathRegexp", "PathPrefix": "PathRegexp"}.get(name, name)
        fix = f"write {regexp}(`^…$`) with a regular expression, without the braces"
        return f"{variable} in {name} is a variable of Traefik 2", literal, fix
    bare = next((one for one in given if "{" not in one and re.search(r"\\\.|[.\]][+*]|^\^|\$$", one)), None)
    if version == 2 and name == "HostRegexp" and bare:
        fix = f"put the expression into braces, as in HostRegexp(`{{name:{bare.strip('^$')}}}`)"
        return f"{bare} in HostRegexp is written for Traefik 3", literal, fix
    return None


@rule(phase=3)
def router_rule_version(model: Model, settings: Settings) -> Iterator[Violation]:
    """Rules of routers are in the syntax of the Traefik that reads them.

    Traefik 3 takes one value in Host(), Path() and PathPrefix(), and plain regular expressions; version 2 took several
    values, and variables like `{name:[a-z]+}`. A rule in the other version's syntax is refused, or matches nothing. If the
    version of Traefik isn't known, this is a warning, and only about rules that version 3 can't read. Not judged: rules with
    `ruleSyntax`, or a Traefik with `core.defaultRuleSyntax`, of the matching version.
    """
    known = proxy(model, settings)
    for router in all_routers(model):
        expression, version = parsed(router.rule), _syntax(router, known)
        if expression is None or disabled(router.owner):
            continue
        faults = (_fault(each, version or 3) for each in matchers(expression))
        problem, impact, fix = next(filter(None, faults), ("", "", ""))
        if problem:
            yield Violation(
                service=router.owner,
                at=router.label("rule"),
                severity=None if version else Severity.WARNING,
                problem=f"in the rule of router {router.name} {problem}",
                impact=impact,
                fix=fix,
            )


def _of_the_api(model: Model) -> list[LabelRouter]:
    """The routers that send requests to the API, whichever service has their labels, without those that redirect."""
    apis = model.of_role(API)
    named = {name for service in apis for name in services_of(service)}
    return [
        router
        for service in model.services
        if not disabled(service)
        for router in routers(service)
        if router.rule
        and not redirects(model, router)
        and (service in apis if not router.service else router.service.partition("@")[0].lower() in named)
    ]


@rule(phase=3, follows=("no-router-labels", "router-rule-version", "router-service-not-linked"))
def graphql_not_routed(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API's routers take /graphql on the host in the front's API_URL.

    The page in the browser posts everything to /graphql below API_URL. Only judged if API_URL has no path.
    """
    for front in model.of_role(FRONT):
        url = url_of(front, "API_URL")
        if url and (router := _leaves_out(model, url, "/graphql")):
            yield Violation(
                service=router.owner,
                at=router.label("rule"),
                problem=f"no router of the API takes https://{url.host}/graphql, where the page sends its requests",
                impact="nobody can log in: 404 for every request of the page",
                fix="remove the path from the rule, or add || PathPrefix(`/graphql`)",
            )


@rule(
    phase=3,
    severity=Severity.WARNING,
    follows=("graphql-not-routed", "no-router-labels", "router-rule-version"),
)
def file_links_not_routed(model: Model, settings: Settings) -> Iterator[Violation]:
    """The API's routers take /rails/active_storage on the host in LAGO_API_URL.

    Links to invoices' PDFs and to logos start with LAGO_API_URL/rails/active_storage. Only judged if LAGO_API_URL has no path.
    """
    for api in model.of_role(API)[:1]:
        url = url_of(api, "LAGO_API_URL")
        if url and (router := _leaves_out(model, url, "/rails/active_storage/blobs")):
            yield Violation(
                service=router.owner,
                at=router.label("rule"),
                problem=f"no router of the API takes https://{url.host}/rails, where links to PDFs and logos lead",
                impact="404 for every invoice that is downloaded and for every logo",
                fix="remove the path from the rule, or add || PathPrefix(`/rails`)",
            )


def _leaves_out(model: Model, url: ServiceUrl, path: str) -> LabelRouter | None:
    """A router of the API for the host of a URL without a path, where none of any service takes this path there.

    Where another service's router takes it, api-url-not-routed says so.
    """
    host = url.host.lower()
    if not host or url.path.strip("/") or unknown(url.path):
        return None
    mine = _of_the_api(model)
    there = [router for router in mine if host in router.hosts]
    verdicts = [takes(each, host, path) if (each := parsed(router.rule)) else None for router in mine]
    if not there or any(verdict is not False for verdict in verdicts) or taken(model, host, path):
        return None
    return there[0]
