"""A look at a site on loopback: every check passes on a healthy one, and each mistake has its finding."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme
from werkzeug import Response

from lago_acceptance.checks.edge import certificates, cors, dns_records, http_answers, open_ports, redirects
from lago_acceptance.core.settings import EdgeSettings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.failure import Kind
from lago_acceptance.probes.http import KEPT, Client, Deadlines, Exchange
from lago_acceptance.probes.ports import knock
from lago_acceptance.probes.public_endpoints import PublicEndpoints, Resolver
from lago_acceptance.probes.survey import AGAIN, PublicSurvey, Timing, survey
from tests.support.edge_servers import (
    API_HOST,
    FRONT_HOST,
    SILENCE,
    Dns,
    Site,
    as_json,
    free_port,
    raw_server,
    redirect,
    script,
)
from tests.support.endpoints import urls
from tests.support.patience import PATIENCE

ORIGIN, ELSEWHERE = "127.0.0.31", "127.0.0.32"
HOSTS = {"front": FRONT_HOST, "api": API_HOST}
HEALTH = ("https", API_HOST, "/health")
SCRIPT = ("https", FRONT_HOST, "/env-config.js")
HTTP = ("http", API_HOST, "/health")


class World:
    """A site, its DNS and its CA, to be broken by a test and looked at."""

    def __init__(self, authority: trustme.CA):
        self.authority = authority
        self.web, self.secure = free_port(ORIGIN), free_port(ORIGIN)
        self.site = Site(authority, ORIGIN, self.web, self.secure)
        self.dns = Dns()

    def heal(self) -> World:
        self.site.heal()
        self.dns.zone = {(host, "A"): [ORIGIN] for host in HOSTS.values()}
        return self

    def look(
        self, origin: str | None = ORIGIN, closed: tuple[int, ...] = (), *timing: Timing
    ) -> PublicSurvey:
        view = PublicEndpoints(
            urls=urls(HOSTS),
            resolvers=(Resolver("first", self.dns.address, self.dns.port),),
            origin=origin,
            roots=self.authority.cert_pem.bytes().decode(),
        )
        return survey(view, closed, self.web, self.secure, *timing)

    def close(self) -> None:
        self.site.close()
        self.dns.close()


@pytest.fixture(scope="module")
def shared_world() -> Iterator[World]:
    world = World(trustme.CA())
    yield world
    world.close()


@pytest.fixture
def world(shared_world: World) -> World:
    return shared_world.heal()


def edge(closed: tuple[int, ...] = ()) -> EdgeSettings:
    return EdgeSettings("web", "websecure", "letsencrypt", "", "", (), 25, 14, closed)


def ids(findings) -> list[str]:
    assert all(each.problem and each.impact and each.fix for each in findings)
    return [each.id for each in findings]


def test_a_healthy_site_passes_every_check(world: World):
    closed = free_port(ORIGIN)
    seen = world.look(closed=(closed,))
    for role in HOSTS:
        for check in (
            dns_records.resolves,
            dns_records.points_to_the_origin,
            certificates.is_trusted,
            certificates.is_modern,
            http_answers.through_the_name,
            http_answers.straight_to_the_origin,
            redirects.http_redirects_to_https,
        ):
            assert check(seen, role) == [], check.__name__
        assert certificates.is_in_date(seen, role, edge()) == []
    for check in (cors.front_is_admitted, cors.others_are_not, open_ports.jobs_are_closed):
        assert check(seen, "api") == []
    assert open_ports.only_web_is_open(seen, edge((closed,)), world.web, world.secure) == []


HTML = Response("<!doctype html><title>Lago</title>", content_type="text/html")
UNHEALTHY = as_json({"version": "v1.16.0", "message": "Unhealthy", "details": "no database"}, 500)


@pytest.mark.parametrize(
    ("page", "answer", "role", "expected"),
    [
        (HEALTH, HTML, "api", "wrong-service-answers"),
        (HEALTH, Response("{}", content_type="text/html"), "api", "wrong-service-answers"),
        (HEALTH, as_json(["healthy"]), "api", "wrong-service-answers"),
        (HEALTH, as_json({"status": "healthy"}), "api", "wrong-service-answers"),
        (HEALTH, UNHEALTHY, "api", "api-unhealthy"),
        (HEALTH, None, "api", "proxy-answers-itself"),
        (HEALTH, Response("Bad Gateway", 502, content_type="text/plain"), "api", "proxy-answers-itself"),
        (HEALTH, Response("no available server", 503), "api", "proxy-answers-itself"),
        (HEALTH, redirect(f"https://{API_HOST}/health"), "api", "https-redirects"),
        (("https", FRONT_HOST, "/"), as_json({}), "front", "wrong-service-answers"),
        (("https", FRONT_HOST, "/"), HTML, "front", "wrong-service-answers"),
        (SCRIPT, HTML, "front", "wrong-service-answers"),
        (SCRIPT, script(""), "front", "front-api-url"),
        (SCRIPT, script("http://lago-api:3000"), "front", "front-api-url"),
        (SCRIPT, script(f"https://{API_HOST}/"), "front", "front-api-url"),
        (SCRIPT, Response("", content_type="application/javascript"), "front", "front-api-url"),
    ],
)
def test_each_wrong_body_has_its_own_finding(world: World, page, answer, role: str, expected: str):
    world.site.pages[page] = answer
    seen = world.look()
    assert ids(http_answers.through_the_name(seen, role)) == [expected]
    assert ids(http_answers.straight_to_the_origin(seen, role)) == [expected]
    other = "front" if role == "api" else "api"
    assert http_answers.through_the_name(seen, other) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (redirect(f"https://{API_HOST}/health", 302), []),
        (redirect(f"https://{API_HOST}:443/health"), []),
        (as_json({"version": "v1.16.0"}), ["http-not-redirected"]),
        (None, ["http-not-redirected"]),
        (redirect(f"http://{API_HOST}/health"), ["http-redirect-wrong"]),
        (redirect("/health"), ["http-redirect-wrong"]),
        (redirect(f"https://{API_HOST}/"), ["http-redirect-wrong"]),
        (redirect(f"https://{API_HOST}:8443/health"), ["http-redirect-wrong"]),
        (redirect(f"https://{FRONT_HOST}/health"), ["http-redirect-wrong"]),
    ],
)
def test_http_must_lead_to_the_same_place_over_https(world: World, answer, expected: list[str]):
    world.site.pages[HTTP] = answer
    assert ids(redirects.http_redirects_to_https(world.look(), "api")) == expected


def test_a_redirect_loop_is_red_and_ends(world: World):
    world.site.pages[HEALTH] = redirect(f"http://{API_HOST}/health")
    seen = world.look()
    assert ids(redirects.http_redirects_to_https(seen, "api")) == ["redirect-loop"]
    assert ids(http_answers.through_the_name(seen, "api")) == ["https-redirects"]


def allow(origin: str) -> Callable[..., Response]:
    return lambda request: Response(
        "", 200, {"Access-Control-Allow-Origin": origin or request.headers["Origin"]}
    )


@pytest.mark.parametrize(
    ("answer", "front", "others"),
    [
        (Response("", 200), ["cors-front-refused"], []),
        (allow("https://other.test"), ["cors-front-refused"], ["cors-foreign-admitted"] * 2),
        (allow("*"), ["cors-front-refused"], ["cors-foreign-admitted"] * 2),
        (allow(""), [], ["cors-foreign-admitted"] * 2),
    ],
)
def test_the_front_and_no_other_page_may_use_the_api(
    world: World, answer, front: list[str], others: list[str]
):
    world.site.pages[("https", API_HOST, "/graphql")] = answer
    seen = world.look()
    assert ids(cors.front_is_admitted(seen, "api")) == front
    assert ids(cors.others_are_not(seen, "api")) == others


def test_what_an_absent_api_can_not_tell_is_blocked_by_what_answers_instead(world: World):
    world.site.pages[HEALTH] = HTML
    for check in (cors.front_is_admitted, cors.others_are_not, open_ports.jobs_are_closed):
        with pytest.raises(Blocked) as blocked:
            check(world.look(), "api")
        assert blocked.value.by == "wrong-service-answers"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Response("<title>Sidekiq</title>", content_type="text/html"), ["sidekiq-web-open"]),
        (redirect("/sidekiq/"), ["sidekiq-web-open"]),
        (Response("who are you", 401), []),
    ],
)
def test_sidekiqs_pages_must_be_closed(world: World, answer: Response, expected: list[str]):
    world.site.pages[("https", API_HOST, "/sidekiq")] = answer
    assert ids(open_ports.jobs_are_closed(world.look(), "api")) == expected


@pytest.mark.parametrize(
    ("version", "variable_helps"),
    [("v1.16.0", True), ("v1.26.0", False), ("v1.16.1", False), ("v1.45.0", True)],
)
def test_the_remedy_for_open_sidekiq_pages_is_that_of_the_version(world: World, version, variable_helps):
    world.site.pages[("https", API_HOST, "/sidekiq")] = Response(
        "<title>Sidekiq</title>", content_type="text/html"
    )
    (finding,) = open_ports.jobs_are_closed(world.look(), "api", version)
    assert finding.fix.startswith("remove LAGO_SIDEKIQ_WEB") is variable_helps
    assert finding.id == ("sidekiq-web-open" if variable_helps else "sidekiq-console-open")
    assert "Traefik" in finding.fix


def test_whether_sidekiqs_pages_are_closed_is_unknown_while_they_break(world: World):
    world.site.pages[("https", API_HOST, "/sidekiq")] = Response("", 500)
    with pytest.raises(Unknown, match="is closed"):
        open_ports.jobs_are_closed(world.look(), "api")


def test_an_open_port_is_red(world: World):
    with raw_server(lambda client: None, ORIGIN) as port:
        seen = world.look(closed=(port,))
    (finding,) = open_ports.only_web_is_open(seen, edge((port,)), world.web, world.secure)
    assert (finding.id, str(finding.place)) == ("port-open", f"{ORIGIN}:{port}")


def test_which_ports_are_open_is_unknown_where_the_host_does_not_answer_at_all(world: World):
    with pytest.raises(Unknown, match="not even"):
        open_ports.only_web_is_open(world.look(origin=ELSEWHERE), edge(), world.web, world.secure)
    with pytest.raises(Unknown, match="not known"):
        open_ports.only_web_is_open(world.look(origin=None), edge(), world.web, world.secure)


def test_a_port_that_is_held_is_open_and_another_is_not():
    with raw_server(lambda client: None) as port:
        assert asyncio.run(knock("127.0.0.1", port)).open
    assert asyncio.run(knock("127.0.0.1", free_port())).failure.kind is Kind.REFUSED


# --- certificates and names, seen through the whole look ---


def test_a_wrong_certificate_is_red_and_what_is_behind_it_is_blocked(world: World):
    world.site.certificates[API_HOST] = world.site.context(FRONT_HOST)
    seen = world.look()
    assert ids(certificates.is_trusted(seen, "api")) == ["certificate-name"]
    for check in (
        http_answers.through_the_name,
        http_answers.straight_to_the_origin,
        cors.front_is_admitted,
    ):
        with pytest.raises(Blocked) as blocked:
            check(seen, "api")
        assert blocked.value.by == "certificate-name"
    assert http_answers.through_the_name(seen, "front") == []


def test_nothing_is_read_through_a_certificate_that_is_not_trusted(world: World):
    world.site.certificates[API_HOST] = world.site.context(API_HOST, authority=trustme.CA())
    with pytest.raises(Blocked) as blocked:
        http_answers.through_the_name(world.look(), "api")
    assert blocked.value.by == "certificate-chain-incomplete"


def test_a_name_that_leads_to_another_host_is_red(world: World):
    world.dns.zone[(API_HOST, "A")] = [ELSEWHERE]
    seen = world.look()
    assert ids(dns_records.points_to_the_origin(seen, "api")) == ["name-points-elsewhere"]
    assert ids(http_answers.through_the_name(seen, "api")) == ["host-unanswered"]
    assert http_answers.straight_to_the_origin(seen, "api") == []


def test_without_dns_the_origin_is_still_judged(world: World):
    world.dns.zone[(API_HOST, "A")] = world.dns.zone[(API_HOST, "AAAA")] = SILENCE
    seen = world.look()
    with pytest.raises(Unknown, match="no DNS server"):
        http_answers.through_the_name(seen, "api")
    assert http_answers.straight_to_the_origin(seen, "api") == []
    assert cors.front_is_admitted(seen, "api") == []


def test_without_the_origins_address_only_the_name_is_judged(world: World):
    seen = world.look(origin=None)
    assert http_answers.through_the_name(seen, "api") == []
    with pytest.raises(Unknown, match="its address is not known"):
        http_answers.straight_to_the_origin(seen, "api")


# --- the exchange itself ---


def hang(client: socket.socket) -> None:
    client.settimeout(PATIENCE)
    while client.recv(4096):
        pass


def drip(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        client.sendall(f"x-{number}: a\r\n".encode())
        time.sleep(0.05)


def flood(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
    while True:
        client.sendall(b"x" * 65536)


def sent(talk: Callable[[socket.socket], None], deadline: float = PATIENCE) -> tuple[Exchange, float]:
    async def send(port: int) -> Exchange:
        async with Client(None) as client:
            deadlines = Deadlines(deadline, deadline, deadline)
            return await client.send("GET", f"http://{API_HOST}/", "127.0.0.1", port, deadlines=deadlines)

    with raw_server(talk) as port:
        started = time.monotonic()
        return asyncio.run(send(port)), time.monotonic() - started


@pytest.mark.parametrize(
    ("talk", "kind"),
    [
        (hang, Kind.UNANSWERED),
        (drip, Kind.UNANSWERED),
        (lambda client: client.recv(4096) and None, Kind.CLOSED),
        (lambda client: client.recv(4096) and client.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Kind.GARBLED),
    ],
)
def test_what_gives_no_answer_ends_in_time_and_is_told_apart(talk, kind: Kind):
    exchange, seconds = sent(talk, 0.7 if kind is Kind.UNANSWERED else PATIENCE)
    assert exchange.failure.kind is kind
    assert seconds < PATIENCE


def test_a_redirect_to_no_url_is_an_answer_too():
    exchange, _ = sent(
        lambda client: (
            client.recv(4096)
            and client.sendall(
                b"HTTP/1.1 301 Moved\r\nlocation: https://[broken/\r\ncontent-length: 0\r\n\r\n"
            )
        )
    )
    assert (exchange.status, exchange.headers["location"]) == (301, "https://[broken/")
    assert redirects.is_https_url_of(exchange.headers["location"], API_HOST, "/health") is False


def test_a_flood_is_cut_off():
    exchange, _ = sent(flood)
    assert (exchange.status, len(exchange.body)) == (200, KEPT)


def test_a_connection_that_was_verified_for_one_name_serves_no_other(world: World):
    """Both hosts share an address that keeps connections open, and the certificate is the first one's."""
    context = world.site.context(API_HOST)

    def talk(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as connection:
            while connection.recv(4096):
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async def both(port: int) -> list[Exchange]:
        async with Client(world.authority.cert_pem.bytes().decode()) as client:
            return [
                await client.send("GET", f"https://{host}/", "127.0.0.1", port)
                for host in (API_HOST, FRONT_HOST)
            ]

    with raw_server(talk) as port:
        first, second = asyncio.run(both(port))
    assert (first.status, second.status) == (200, 0)
    assert second.failure.kind is Kind.CERTIFICATE


BRIEF, LONGER = (Timing(each, Deadlines(each, each, each)) for each in (1.0, 1.5))


def test_a_host_that_hangs_delays_no_other(world: World):
    """The API's name resolves to a silent address, and its origin never answers: all three are asked at once."""
    together = threading.Barrier(3, timeout=0.9)
    ended = threading.Event()

    def meet(_) -> str:
        together.wait()
        return HTML

    def hang(_) -> str:
        if not together.broken and together.n_waiting:
            together.wait()
        ended.wait(PATIENCE)
        return HTML

    world.site.pages[HEALTH] = hang
    world.site.pages[("https", FRONT_HOST, "/")] = meet
    world.dns.zone[(API_HOST, "A")] = [ELSEWHERE]
    with (
        socket.create_server((ELSEWHERE, world.secure)) as silent,
        socket.create_server((ELSEWHERE, world.web)),
        ThreadPoolExecutor() as pool,
    ):
        asked = pool.submit(lambda: (silent.accept(), together.wait()))
        seen = world.look(ORIGIN, (), BRIEF, LONGER)
        ended.set()
        assert asked.result()
    assert ids(http_answers.through_the_name(seen, "api")) == ["host-unanswered"]
    (finding,) = http_answers.straight_to_the_origin(seen, "api")
    assert (finding.id, "no answer within 1.5 s" in finding.problem) == ("service-unanswered", True)


def late_at_first(page: Callable[[], Response], ended: threading.Event, asked: list[float]) -> Callable:
    """A page that the first request waits for until ``ended``, and all others get at once."""

    def answer(_) -> Response:
        asked.append(time.monotonic())
        if len(asked) == 1:
            ended.wait(PATIENCE)
        return page()

    return answer


def test_what_times_out_once_is_asked_once_more(world: World):
    ended, asked = threading.Event(), []
    healthy = world.site.pages[HEALTH]
    world.site.pages[HEALTH] = late_at_first(lambda: healthy, ended, asked)
    seen = world.look(ORIGIN, (), BRIEF, AGAIN)
    ended.set()
    assert len(asked) == 2
    assert http_answers.through_the_name(seen, "api") == []
    assert http_answers.straight_to_the_origin(seen, "api") == []


def test_a_wrong_answer_is_not_asked_for_again(world: World):
    asked = []
    world.site.pages[HEALTH] = lambda request: (asked.append(request), Response("no", 500))[1]
    seen = world.look(ORIGIN, (), BRIEF, AGAIN)
    assert len(asked) == 1
    assert http_answers.through_the_name(seen, "api")


def test_variables_of_the_environment_have_no_say(world: World, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("SSL_CERT_FILE", ssl.get_default_verify_paths().openssl_cafile)
    assert http_answers.through_the_name(world.look(), "api") == []
