"""What is open to the internet beside the ports of the public URLs, and Sidekiq's web pages."""

from __future__ import annotations

from lago_acceptance.checks.edge.dns_records import FROM_ELSEWHERE, ORIGIN_UNKNOWN, SET_ORIGIN
from lago_acceptance.checks.edge.http_answers import lago_exchange
from lago_acceptance.checks.edge.proxy_words import words
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.settings import NO_PROXY, EdgeSettings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.lago.release_table import nearest
from lago_acceptance.lago.versions import numbers_in
from lago_acceptance.probes.survey import (
    JOBS,
    SECURE,
    WEB,
    PublicSurvey,
)


def jobs_are_closed(survey: PublicSurvey, role: str, version: str = "") -> list[Finding]:
    """Sidekiq's web pages aren't public: /sidekiq gives a 404, or asks for credentials.

    ``version`` is the tag of Lago's image: what closes the pages depends on it. The ids are those of the rules for the same
    defects.
    """
    exchange = lago_exchange(survey, role, JOBS)
    # By Lago itself or by the proxy: whoever has no such page shows none.
    if exchange.status in (401, 403, 404):
        return []
    if "env-config.js" in exchange.body:
        # The front, which gives its page for any path that the proxy doesn't send elsewhere.
        return []
    if exchange.status >= 400:
        raise Unknown(
            f"whether {exchange.url} is closed: it gives {exchange.excerpt}",
            why="the API's answer does not show whether Sidekiq's pages are closed",
        )
    return [
        Finding(
            id="sidekiq-console-open" if _always_open(version) else "sidekiq-web-open",
            role=role,
            place=Place(exchange.url),
            problem=f"Sidekiq's web pages are open to everybody ({exchange.excerpt[:80]})",
            impact="anybody can read job arguments and delete queues, including invoices that are being generated",
            fix=_how_to_close(version, words(survey.view.proxy).close),
        )
    ]


def _always_open(version: str) -> bool:
    numbers = numbers_in(version)
    release = nearest(numbers) if numbers else None
    return release is not None and release.sidekiq_console == "always open"


def _how_to_close(version: str, at_proxy: str) -> str:
    if not numbers_in(version):
        return f"{at_proxy}; removing LAGO_SIDEKIQ_WEB is enough except from v1.17.0 to v1.29.0"
    if _always_open(version):
        return (
            f"{at_proxy}: {version} serves these pages whatever LAGO_SIDEKIQ_WEB says (v1.17.0 to v1.29.0 do)"
        )
    return f"remove LAGO_SIDEKIQ_WEB from the api, or {at_proxy}"


@registry.check(
    phase=3, errors={"port-open": "No port is open to the internet but those of the public URLs."}
)
def only_web_is_open(
    survey: PublicSurvey, edge: EdgeSettings, web: int = WEB, secure: int = SECURE
) -> list[Finding]:
    """None of the ports that must be closed (``edge.closed_ports`` in settings.toml) takes connections."""
    origin = survey.view.origin
    if origin is None:
        raise Unknown(
            "which ports of the host are open: its address is not known", why=ORIGIN_UNKNOWN, fix=SET_ORIGIN
        )
    used = sorted({{WEB: web, SECURE: secure}.get(port, port) for port in survey.view.ports or (WEB, SECURE)})
    if not any(survey.knocks[(origin, port)].open for port in used):
        raise Unknown(
            f"which ports of {origin} are open: not even {' or '.join(map(str, used))} answers from here "
            f"({survey.knocks[(origin, used[-1])].failure})",
            why="no port of the host answers from here",
            fix=FROM_ELSEWHERE,
        )
    return [
        Finding(
            id="port-open",
            place=Place(f"{origin}:{port}"),
            problem=f"port {port} accepts connections from the internet",
            impact=_bypassed(survey) + _WHAT.get(port, "whatever listens there can be attacked"),
            fix=f"publish it as 127.0.0.1:{port} or not at all; ports that Docker publishes bypass ufw",
        )
        for port in edge.closed_ports
        if port not in survey.view.ports and survey.knocks[(origin, port)].open
    ]


def _bypassed(survey: PublicSurvey) -> str:
    return "" if survey.view.proxy == NO_PROXY else f"it bypasses {words(survey.view.proxy).name} and TLS: "


_WHAT = {
    5432: "PostgreSQL with all invoices is exposed",
    6379: "Redis with all jobs is exposed, usually without a password",
    3000: "Lago's API or its PDF service is exposed without TLS",
    3010: "Lago's API is exposed without TLS",
    8080: "a dashboard of the proxy, or the worker's liveness page, is exposed",
}
