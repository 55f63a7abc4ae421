"""The edge's checks on whatever a host may answer over HTTP: findings, never errors, and messages of bounded length."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lago_acceptance.checks.edge import cors, http_answers, open_ports, redirects
from lago_acceptance.core.findings import Red
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.dns import DnsAnswer, DnsOutcome
from lago_acceptance.probes.http import DEADLINES, KEPT, Client, Deadlines, Exchange
from lago_acceptance.probes.public_endpoints import PublicEndpoints
from lago_acceptance.probes.survey import (
    HEALTH,
    JOBS,
    PAGE,
    SCRIPT,
    PublicSurvey,
    address_of,
    foreign_origins,
    front_origin,
    plain,
    preflight,
)
from lago_acceptance.probes.tls import Handshake
from tests.support.edge_servers import raw_server
from tests.support.endpoints import urls
from tests.support.hostile_servers import ENDLESS, GARBAGE, LARGE, Talk
from tests.support.patience import PATIENCE

HOSTS = {"api": "api.lago.test", "front": "front.lago.test", "gateway": "gateway.lago.test"}
ADDRESS = "192.0.2.1"
VIEW = PublicEndpoints(urls=urls(HOSTS), resolvers=(), origin=ADDRESS)
REQUESTS = {
    "api": (HEALTH, plain(VIEW, "api"), JOBS, *map(preflight, (front_origin(VIEW), *foreign_origins(VIEW)))),
    "front": (PAGE, SCRIPT, plain(VIEW, "front")),
    "gateway": (HEALTH, plain(VIEW, "gateway")),
}
CHECKS = (
    http_answers.through_the_name,
    http_answers.straight_to_the_origin,
    redirects.http_redirects_to_https,
    cors.front_is_admitted,
    cors.others_are_not,
    open_ports.jobs_are_closed,
)
# Whatever the other side sends, a message stays one that a person reads.
LONGEST = 2000


def sent(talk: Talk, deadline: float) -> Exchange:
    async def send(port: int) -> Exchange:
        async with Client(None) as client:
            deadlines = Deadlines(DEADLINES.connect, DEADLINES.read, deadline)
            return await client.send("GET", "http://api.lago.test/", "127.0.0.1", port, deadlines=deadlines)

    with raw_server(talk) as port:
        return asyncio.run(send(port))


@pytest.mark.parametrize("name", ENDLESS)
def test_a_probe_ends_at_its_deadline(name):
    started = time.monotonic()
    exchange = sent(ENDLESS[name], 0.7)
    assert exchange.failure
    assert time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("name", [*GARBAGE, *LARGE])
def test_a_probe_keeps_little_of_whatever_comes(name):
    exchange = sent({**GARBAGE, **LARGE}[name], PATIENCE)
    assert exchange.failure or 0 <= exchange.status <= 999
    assert len(exchange.body) <= KEPT
    assert sum(len(key) + len(value) for key, value in exchange.headers.items()) < 2**18
    assert len(exchange.excerpt) < LONGEST


@pytest.mark.parametrize(
    "host", ["a..b", "x" * 70 + ".test", ".", "", "a b", "[::1", "ü.test", "a\0b", "a:b"]
)
def test_a_host_that_is_none_is_data(host):
    async def send() -> Exchange:
        async with Client(None) as client:
            return await client.send("GET", f"https://{host}/", "127.0.0.1", 1)

    assert asyncio.run(send()).failure


TEXT = st.text(max_size=30) | st.sampled_from(
    [
        "http://[",
        "https://[::1",
        "//x",
        "https://api.lago.test:port/",
        "\x1b[2J",
        "::error::x",
        "x" * 10**5,
        "\xff",
    ]
    + [
        "text/html",
        "application/json",
        "text/plain",
        "application/javascript",
        "*",
        "null",
        ";;;=",
        "https://a@b:99999/",
    ]
)
BODIES = TEXT | st.sampled_from(
    [
        "[" * 10**4,
        '{"version": 5}',
        '{"version": {}}',
        "1" * 5000,
        '{"version": NaN}',
        'window.API_URL = "%s"' % ("y" * 30000),
    ]
)
EXCHANGES = st.builds(
    lambda status, location, media, origin, body: (
        status,
        {"location": location, "content-type": media, "access-control-allow-origin": origin},
        body,
    ),
    st.sampled_from([0, 100, 200, 204, 301, 302, 308, 401, 404, 429, 500, 502, 503, 522, 999]),
    TEXT,
    TEXT,
    TEXT,
    BODIES,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(EXCHANGES, min_size=11, max_size=11), st.booleans())
def test_no_exchange_breaks_a_check(drawn, lago):
    """With ``lago`` the API itself answers well, which is where the checks of its other answers begin."""
    answers = iter(drawn)
    exchanges = {}
    for role, requests in REQUESTS.items():
        for request in requests:
            status, headers, body = next(answers)
            if lago and (role, request) == ("api", HEALTH):
                status, headers, body = (
                    200,
                    {"content-type": "application/json"},
                    json.dumps({"version": "v1"}),
                )
            exchanges[(role, ADDRESS, request)] = Exchange(
                method=request.method,
                url=str(address_of(VIEW, role, request)),
                address=ADDRESS,
                status=status,
                headers=headers,
                body=body[:KEPT],
            )
    survey = PublicSurvey(
        view=VIEW,
        now=0,
        answers=tuple(
            DnsAnswer(host=host, kind="A", resolver="x", outcome=DnsOutcome.ANSWERED, addresses=(ADDRESS,))
            for host in HOSTS.values()
        ),
        handshakes={(host, ADDRESS): Handshake(host=host, address=ADDRESS) for host in HOSTS.values()},
        exchanges=exchanges,
    )
    for check in CHECKS:
        for role in HOSTS if check in CHECKS[:3] else ("api",):
            with suppress(Blocked, Unknown, Red):
                for finding in check(survey, role):
                    assert len(finding.problem) < LONGEST
