"""What each public URL must serve, and what comes instead: the proxy's own errors, redirects, other services."""

from __future__ import annotations

import re
from collections.abc import Callable

from lago_acceptance.checks.edge.cloudflare import is_cloudflare
from lago_acceptance.checks.edge.proxy_words import own_error, words
from lago_acceptance.core.documents import parse
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.settings import TUNNEL
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.survey import HEALTH, PAGE, REST, SCRIPT, PublicSurvey, Request

REDIRECTS = (301, 302, 303, 307, 308)


# Id, problem, impact, fix.
Defect = tuple[str, str, str, str]


def by_the_proxy(survey: PublicSurvey, exchange: Exchange) -> Defect | None:
    """The defect where Cloudflare or the proxy answers with an error of its own."""
    kind = survey.view.proxy
    if 520 <= exchange.status <= 530 and (kind == TUNNEL or is_cloudflare(exchange.address)):
        return (
            "cloudflare-cannot-reach-origin",
            f"Cloudflare answers {exchange.status}: it gets no usable answer from the "
            + ("tunnel" if kind == TUNNEL else "origin"),
            "nobody can reach this name",
            words(kind).publish
            if kind == TUNNEL
            else "open port 443 of the host to Cloudflare's addresses, give the origin a valid certificate, and set the "
            "A record behind Cloudflare's proxy to the host's address",
        )
    if said := own_error(kind, exchange):
        problem, fix = said
        return (
            "proxy-answers-itself",
            f"{problem} ({exchange.excerpt})",
            "nobody can reach the service by its name",
            fix,
        )
    return None


def redirected(survey: PublicSurvey, exchange: Exchange) -> Defect | None:
    """The defect where a service's URL answers with a redirect."""
    if exchange.status not in REDIRECTS:
        return None
    target = exchange.headers.get("location", "nowhere")
    return (
        "https-redirects",
        f"{exchange.url.partition(':')[0]} answers with a redirect to {target[:200]} ({exchange.status})",
        "browsers stop with 'too many redirects' if it points back; clients of the API follow no redirects",
        no_loop(survey),
    )


def no_loop(survey: PublicSurvey) -> str:
    """How to end a redirect of what is reached by https already."""
    return f"{words(survey.view.proxy).loop}; behind Cloudflare set SSL/TLS to Full (strict), not Flexible"


def _health(survey: PublicSurvey, exchange: Exchange) -> Defect | None:
    try:
        body = parse(exchange.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or exchange.media_type != "application/json":
        return _other_service(survey, exchange, "the JSON of Lago's /health")
    if exchange.status != 200:
        return _unhealthy(exchange)
    if not isinstance(body.get("version"), str):
        return _other_service(survey, exchange, "Lago's /health with its version")
    return None


def _unhealthy(exchange: Exchange) -> Defect:
    return (
        "api-unhealthy",
        f"Lago answers and reports that it is not healthy ({exchange.excerpt})",
        "every request that needs the database fails",
        "read the api's log; usually DATABASE_URL or the database is the cause",
    )


def _rest(survey: PublicSurvey, exchange: Exchange) -> Defect | None:
    try:
        body = parse(exchange.body)
    except ValueError:
        body = None
    if not isinstance(body, dict) or exchange.media_type != "application/json":
        return _other_service(survey, exchange, "the JSON with which Lago refuses a request without a key")
    if exchange.status >= 500:
        return _unhealthy(exchange)
    if exchange.status != 401:
        return _other_service(survey, exchange, "Lago's refusal (401) of a request without a key")
    return None


def _gateway_health(survey: PublicSurvey, exchange: Exchange) -> Defect | None:
    try:
        is_json = isinstance(parse(exchange.body), dict) and exchange.media_type == "application/json"
    except ValueError:
        is_json = False
    if not is_json:
        return _other_service(survey, exchange, "the JSON of the gateway's /health")
    if exchange.status != 200:
        return (
            "gateway-unhealthy",
            f"the gateway answers and reports that it is not healthy ({exchange.excerpt})",
            "its billing routes fail",
            "read the gateway's log; usually its own database is down",
        )
    return None


def _page(survey: PublicSurvey, exchange: Exchange) -> Defect | None:
    if exchange.status != 200 or exchange.media_type != "text/html" or "env-config.js" not in exchange.body:
        return _other_service(survey, exchange, "the front's page, which loads env-config.js")
    return None


def _script(survey: PublicSurvey, exchange: Exchange) -> Defect | None:
    if exchange.status != 200 or "javascript" not in exchange.media_type:
        return _other_service(
            survey, exchange, "env-config.js as JavaScript, which the front writes at every start"
        )
    found = re.search(r"""window\.API_URL\s*=\s*["']([^"']*)["']""", exchange.body)
    given = found[1] if found else ""
    wanted = str(survey.view.graphql or "")
    if given == wanted or not wanted:
        return None
    return (
        "front-api-url",
        f"env-config.js gives browsers {given[:200] or 'no address'!r} as the API's address instead of {wanted!r}",
        "the login page loads and nobody can log in: browsers send logins to the wrong address"
        if given
        else "the login page loads and nobody can log in: browsers post to /undefined/graphql on the front, "
        "which answers 405",
        f"set API_URL={wanted} (without a trailing slash) on the front; its image reads no other variable for it",
    )


def _other_service(survey: PublicSurvey, exchange: Exchange, wanted: str) -> Defect:
    return (
        "wrong-service-answers",
        f"expected {wanted}, got: {exchange.excerpt}",
        "requests are routed to the wrong service",
        words(survey.view.proxy).routing,
    )


# By role and request: the defect of an answer that is not what belongs there, or None.
BODIES: dict[tuple[str, Request], Callable[[PublicSurvey, Exchange], Defect | None]] = {
    (API, HEALTH): _health,
    (API, REST): _rest,
    (FRONT, PAGE): _page,
    (FRONT, SCRIPT): _script,
    (GATEWAY, HEALTH): _gateway_health,
}
