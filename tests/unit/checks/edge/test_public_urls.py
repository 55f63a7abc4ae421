"""Public URLs with paths, ports, http and addresses: each style passes when it is healthy, and is red where it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest
import trustme
from werkzeug import Request, Response

from lago_acceptance.checks.edge import certificates, cors, dns_records, http_answers, open_ports, redirects
from lago_acceptance.checks.edge.proxy_words import WORDS, own_error
from lago_acceptance.core.settings import (
    CADDY,
    NGINX,
    NGINX_PROXY,
    NO_PROXY,
    OTHER,
    PROXIES,
    TRAEFIK,
    TUNNEL,
    EdgeSettings,
)
from lago_acceptance.core.urls import PublicUrl, public_url
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.probes.http import Exchange
from lago_acceptance.probes.public_endpoints import ONLY_THERE, PublicEndpoints, Resolver
from lago_acceptance.probes.survey import PublicSurvey, survey
from tests.support.edge_servers import PAGE, Dns, Site, as_json, free_port, raw_server, redirect, script

ORIGIN, HOST, ADDRESS = "127.0.0.33", "lago.acme.test", "192.0.2.9"
FRONT_PAGE = Response(PAGE, content_type="text/html")
HEALTHY = as_json({"version": "v1.16.0", "message": "Success"})
REFUSED = as_json({"status": 401, "error": "Unauthorized"}, 401)
NOT_FOUND = as_json({"status": 404, "code": "resource_not_found"}, 404)
EDGE = EdgeSettings()


class World:
    """A site, its DNS and its CA."""

    def __init__(self):
        self.authority = trustme.CA()
        self.web, self.secure = free_port(ORIGIN), free_port(ORIGIN)
        self.site = Site(self.authority, ORIGIN, self.web, self.secure)
        self.dns = Dns()

    def serve(self, scheme: str, host: str, pages: dict[str, object]) -> None:
        """Serve these pages at a host and nothing else there; https has a certificate for it."""
        self.site.certificates = {host: self.site.context(host)}
        self.site.pages = {(scheme, host, path): page for path, page in pages.items()}
        self.dns.zone = {(host, "A"): [ORIGIN]}

    def look(self, front: str, api: str, closed: tuple[int, ...] = (), **more: object) -> PublicSurvey:
        given = {
            "urls": {"front": public_url(front), "api": public_url(api)},
            "resolvers": (Resolver("first", self.dns.address, self.dns.port),),
            "origin": ORIGIN,
            "roots": self.authority.cert_pem.bytes().decode(),
            **more,
        }
        return survey(PublicEndpoints(**given), closed, self.web, self.secure)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.site.close()
    made.dns.close()


def admits(origin: str) -> Callable[[Request], Response]:
    """Lago's preflight: it compares host and port, not the scheme."""

    def answer(request: Request) -> Response:
        asked = request.headers["Origin"]
        same = asked.partition("://")[2] == origin.partition("://")[2]
        return Response("", 200, {"Access-Control-Allow-Origin": asked} if same else {})

    return answer


def ids(findings) -> list[str]:
    assert all(each.problem and each.impact and each.fix for each in findings)
    return [each.id for each in findings]


BODIES = (http_answers.through_the_name, http_answers.straight_to_the_origin)
OF_TLS = (
    certificates.is_trusted,
    certificates.is_modern,
    lambda seen, role: certificates.is_in_date(seen, role, EDGE),
    redirects.http_redirects_to_https,
)
OF_DNS = (dns_records.resolves, dns_records.points_to_the_origin)
OF_LAGO = (cors.front_is_admitted, cors.others_are_not, open_ports.jobs_are_closed)


def green(seen: PublicSurvey, *checks, roles=("front", "api")) -> None:
    for check in checks:
        for role in roles:
            assert check(seen, role) == [], check


def one_reason(seen: PublicSurvey, *checks, roles=("front", "api")) -> str:
    """The reason why none of these checks can judge, which is the same for all."""
    reasons = set()
    for check in checks:
        for role in roles:
            with pytest.raises(Unknown) as raised:
                check(seen, role)
            reasons.add(raised.value.why)
    (reason,) = reasons
    return reason


# --- two roles on one host ---


def one_name(world: World, asked: list[str]) -> None:
    """The front at the root of a name, the API below /api, where the proxy strips that; GraphQL at the root."""
    world.serve(
        "https",
        HOST,
        {
            "/": FRONT_PAGE,
            "/env-config.js": script(f"https://{HOST}"),
            "/health": lambda request: asked.append(request.path) or FRONT_PAGE,
            "/api/health": HEALTHY,
            "/api/sidekiq": NOT_FOUND,
            "/graphql": admits(f"https://{HOST}"),
        },
    )
    for path in ("/env-config.js", "/api/health"):
        world.site.pages[("http", HOST, path)] = redirect(f"https://{HOST}{path}")


STRIPPED = (f"https://{HOST}", f"https://{HOST}/api")


def test_an_api_below_a_path_passes_every_check_and_the_front_is_not_asked_for_health(world: World):
    asked: list[str] = []
    one_name(world, asked)
    seen = world.look(*STRIPPED, browser_api=public_url(f"https://{HOST}"))
    green(seen, *BODIES, *OF_TLS, *OF_DNS)
    green(seen, *OF_LAGO, roles=("api",))
    assert asked == []
    # One look-up, one certificate.
    assert len(seen.answers) == 2 and len(seen.handshakes) == 1
    assert seen.view.firsts("host") == seen.view.firsts("origin") == ("front",)


@pytest.mark.parametrize(
    ("path", "answer", "role", "expected"),
    [
        ("/api/health", FRONT_PAGE, "api", "wrong-service-answers"),
        ("/api/health", None, "api", "proxy-answers-itself"),
        ("/", HEALTHY, "front", "wrong-service-answers"),
        ("/env-config.js", script(f"https://{HOST}/api"), "front", "front-api-url"),
    ],
)
def test_bodies_are_told_by_role(world: World, path: str, answer, role: str, expected: str):
    one_name(world, [])
    world.site.pages[("https", HOST, path)] = answer
    seen = world.look(*STRIPPED, browser_api=public_url(f"https://{HOST}"))
    (finding,) = http_answers.through_the_name(seen, role)
    assert (finding.id, str(finding.place)) == (expected, f"https://{HOST}{path} at {ORIGIN}")
    assert http_answers.through_the_name(seen, "api" if role == "front" else "front") == []


def test_cors_is_asked_where_browsers_send_their_requests(world: World):
    one_name(world, [])
    world.site.pages[("https", HOST, "/graphql")] = Response("", 200)
    seen = world.look(*STRIPPED, browser_api=public_url(f"https://{HOST}"))
    (finding,) = cors.front_is_admitted(seen, "api")
    assert str(finding.place) == f"https://{HOST}/graphql"
    # Nothing serves it below the API's own path.
    assert ids(cors.front_is_admitted(world.look(*STRIPPED), "api")) == ["cors-front-refused"]


def test_browsers_may_reach_the_api_by_another_name(world: World):
    other = "browsers.acme.test"
    one_name(world, [])
    world.site.certificates[other] = world.site.context(other)
    world.site.pages[("https", other, "/graphql")] = admits(f"https://{HOST}")
    world.dns.zone[(other, "A")] = [ORIGIN]
    seen = world.look(*STRIPPED, browser_api=public_url(f"https://{other}"))
    green(seen, cors.front_is_admitted, cors.others_are_not, roles=("api",))
    world.site.pages[("https", other, "/graphql")] = Response("", 200)
    seen = world.look(*STRIPPED, browser_api=public_url(f"https://{other}"))
    assert ids(cors.front_is_admitted(seen, "api")) == ["cors-front-refused"]


def test_where_front_and_api_have_one_url_the_api_is_known_by_its_rest(world: World):
    one_name(world, [])
    own = f"https://{HOST}"
    rest, redirected = ("https", HOST, "/api/v1/organizations"), ("http", HOST, "/api/v1/organizations")
    world.site.pages |= {rest: REFUSED, redirected: redirect(f"{own}/api/v1/organizations")}
    world.site.pages[("https", HOST, "/sidekiq")] = FRONT_PAGE
    seen = world.look(own, own)
    green(seen, *BODIES, *OF_TLS)
    green(seen, *OF_LAGO, roles=("api",))
    assert seen.view.routed["api"].path == "/api/v1"
    for answer, expected in (
        (FRONT_PAGE, "wrong-service-answers"),
        (as_json({"organization": {}}), "wrong-service-answers"),
        (as_json({"status": 500}, 500), "api-unhealthy"),
    ):
        world.site.pages[rest] = answer
        assert ids(http_answers.through_the_name(world.look(own, own), "api")) == [expected]
    world.site.pages[rest] = REFUSED
    world.site.pages[("https", HOST, "/sidekiq")] = Response(
        "<title>Sidekiq</title>", content_type="text/html"
    )
    assert ids(open_ports.jobs_are_closed(world.look(own, own), "api")) == ["sidekiq-web-open"]


# --- http only, with ports ---

PLAIN = ("http://localhost", "http://localhost:3000")


def quick_start(world: World) -> dict[str, object]:
    """Front and API at moved ports of this machine, without a proxy; the arguments of a look at them."""
    world.serve(
        "http",
        "localhost",
        {
            "/": FRONT_PAGE,
            "/env-config.js": script("http://localhost:3000"),
            "/health": HEALTHY,
            "/sidekiq": NOT_FOUND,
            "/graphql": admits("http://localhost"),
        },
    )
    door = (ORIGIN, world.web)
    return {"proxy": NO_PROXY, "doors": {"front": door, "api": door}, "resolvers": ()}


def test_http_only_is_judged_by_its_bodies_and_nothing_else(world: World):
    given = quick_start(world)
    seen = world.look(*PLAIN, **given)
    green(seen, *BODIES)
    green(seen, *OF_LAGO, roles=("api",))
    assert seen.answers == () and seen.handshakes == {}
    assert one_reason(seen, *OF_TLS) == "no proxy, http only"
    assert one_reason(seen, *OF_DNS) == dns_records.NOT_IN_DNS


@pytest.mark.parametrize(
    ("path", "answer", "role", "check", "expected"),
    [
        ("/health", FRONT_PAGE, "api", http_answers.through_the_name, "wrong-service-answers"),
        ("/health", Response("", 502), "api", http_answers.through_the_name, "wrong-service-answers"),
        (
            "/env-config.js",
            script("https://localhost:3000"),
            "front",
            http_answers.through_the_name,
            "front-api-url",
        ),
        ("/graphql", Response("", 200), "api", cors.front_is_admitted, "cors-front-refused"),
        ("/graphql", admits("http://localhost:8080"), "api", cors.others_are_not, "cors-foreign-admitted"),
        (
            "/sidekiq",
            Response("<title>Sidekiq</title>"),
            "api",
            open_ports.jobs_are_closed,
            "sidekiq-web-open",
        ),
    ],
)
def test_http_only_is_red_where_it_is_wrong(world: World, path: str, answer, role: str, check, expected: str):
    given = quick_start(world)
    world.site.pages[("http", "localhost", path)] = answer
    (finding,) = check(world.look(*PLAIN, **given), role)
    assert finding.id == expected
    assert "Traefik" not in f"{finding}" and "https" not in finding.fix


def test_a_door_that_nobody_opens_is_an_unanswered_host_and_one_that_hangs_a_service(world: World):
    given = quick_start(world)
    closed = {"front": (ORIGIN, world.web), "api": (ORIGIN, free_port(ORIGIN))}
    (finding,) = http_answers.through_the_name(world.look(*PLAIN, **(given | {"doors": closed})), "api")
    assert (finding.id, "publishes this port" in finding.fix) == ("host-unanswered", True)
    with raw_server(lambda client: client.recv(4096) and None, ORIGIN) as port:
        doors = {"front": (ORIGIN, world.web), "api": (ORIGIN, port)}
        seen = world.look(*PLAIN, **(given | {"doors": doors}))
    assert ids(http_answers.through_the_name(seen, "api")) == ["service-unanswered"]


@pytest.mark.parametrize("host", ["localhost", "lago.localhost", "127.0.0.1", "[::1]"])
def test_localhost_without_a_door_can_not_be_seen(world: World, host: str):
    seen = world.look(f"http://{host}", f"http://{host}:3000", proxy=NO_PROXY)
    assert seen.exchanges == {} and seen.answers == ()
    assert one_reason(seen, *BODIES, *OF_TLS, *OF_DNS) == ONLY_THERE
    assert one_reason(seen, *OF_LAGO, roles=("api",)) == ONLY_THERE


@pytest.mark.parametrize("host", ["lago", "lago.lan", "lago.local"])
def test_a_name_of_the_lan_is_reached_at_the_host_and_not_looked_up(world: World, host: str):
    world.serve(
        "http", host, {"/": FRONT_PAGE, "/env-config.js": script(f"http://{host}:80"), "/health": HEALTHY}
    )
    seen = world.look(f"http://{host}", f"http://{host}", proxy=NO_PROXY)
    assert seen.answers == ()
    assert one_reason(seen, *OF_DNS) == dns_records.NOT_IN_DNS
    assert one_reason(seen, *OF_TLS) == "no proxy, http only"
    assert ids(http_answers.through_the_name(seen, "front")) == ["front-api-url"]
    with pytest.raises(Unknown, match="its address is not known"):
        http_answers.through_the_name(world.look(f"http://{host}", f"http://{host}", origin=None), "front")


def test_a_public_name_by_http_is_looked_up_and_compared_by_what_it_serves(world: World):
    port = world.web
    urls = (f"http://{HOST}:{port}", f"http://{HOST}:{port}/api")
    pages = {"/": FRONT_PAGE, "/env-config.js": script(urls[1]), "/api/health": HEALTHY}
    world.serve("http", HOST, pages)
    seen = world.look(*urls, proxy=NO_PROXY)
    green(seen, *BODIES, *OF_DNS)
    elsewhere = "127.0.0.34"
    world.dns.zone[(HOST, "A")] = [elsewhere]
    assert ids(dns_records.points_to_the_origin(world.look(*urls, proxy=NO_PROXY), "api")) == [
        "name-points-elsewhere"
    ]
    other = Site(world.authority, elsewhere, port, free_port(elsewhere))
    try:
        other.pages = {("http", HOST, path): page for path, page in pages.items()}
        green(world.look(*urls, proxy=NO_PROXY), dns_records.points_to_the_origin)
        other.pages[("http", HOST, "/api/health")] = as_json({"version": "v1.0.0"})
        seen = world.look(*urls, proxy=NO_PROXY)
        assert ids(dns_records.points_to_the_origin(seen, "api")) == ["name-points-elsewhere"]
    finally:
        other.close()


# --- addresses as hosts ---


def test_an_address_is_not_looked_up_and_needs_a_certificate_of_its_own(world: World):
    own = f"https://{ADDRESS}"
    world.serve(
        "https", ADDRESS, {"/": FRONT_PAGE, "/env-config.js": script(f"{own}/api"), "/api/health": HEALTHY}
    )
    # Without SNI a server has one certificate for all.
    world.site.default(ADDRESS)
    door = (ORIGIN, world.secure)
    given = {"doors": {"front": door, "api": door}, "proxy": CADDY}
    seen = world.look(own, f"{own}/api", **given)
    assert seen.answers == ()
    assert one_reason(seen, *OF_DNS) == dns_records.NOT_IN_DNS
    green(seen, *BODIES, certificates.is_trusted, certificates.is_modern)
    world.site.default("192.0.2.10")
    (finding,) = certificates.is_trusted(world.look(own, f"{own}/api", **given), "front")
    assert finding.id == "certificate-name" and "192.0.2.10" in finding.problem and "Caddyfile" in finding.fix
    world.site.default("api.lago.test")


# --- ports ---


def test_a_port_of_a_public_url_or_a_door_need_not_be_closed(world: World):
    given = quick_start(world)
    edge = EdgeSettings(closed_ports=(world.web,))
    assert (
        open_ports.only_web_is_open(
            world.look(*PLAIN, edge.closed_ports, **given), edge, world.web, world.secure
        )
        == []
    )
    urls = (f"http://{HOST}:{world.web}", f"http://{HOST}:{world.web}")
    seen = world.look(*urls, edge.closed_ports, proxy=NO_PROXY)
    assert open_ports.only_web_is_open(seen, edge, world.web, world.secure) == []
    with raw_server(lambda client: None, ORIGIN) as port:
        edge = EdgeSettings(closed_ports=(port,))
        seen = world.look(*urls, edge.closed_ports, proxy=NO_PROXY)
    (finding,) = open_ports.only_web_is_open(seen, edge, world.web, world.secure)
    assert finding.id == "port-open" and "bypass" not in finding.impact


def test_https_on_another_port_has_no_redirect_to_judge(world: World):
    own = f"https://{HOST}:{world.secure}"
    world.serve("https", HOST, {"/": FRONT_PAGE, "/env-config.js": script(f"{own}/api")})
    seen = world.look(own, f"{own}/api")
    green(seen, http_answers.through_the_name, certificates.is_trusted, *OF_DNS, roles=("front",))
    assert one_reason(seen, redirects.http_redirects_to_https, roles=("front",)) == redirects.OTHER_PORT


# --- proxies ---

NGINX_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.24.0</center></body></html>"


def answered(status: int, body: str = "", media: str = "") -> Exchange:
    headers = {"content-type": media} if media else {}
    return Exchange(
        method="GET", url="https://x/", address="192.0.2.1", status=status, headers=headers, body=body
    )


@pytest.mark.parametrize(
    ("kind", "exchange", "words"),
    [
        (TRAEFIK, answered(404, "404 page not found", "text/plain"), "Traefik has no router for this name"),
        (TRAEFIK, answered(404, NGINX_PAGE, "text/html"), None),
        (CADDY, answered(502), "Caddy can't connect"),
        (CADDY, answered(404), "Caddy has no site or route"),
        (CADDY, answered(502, NGINX_PAGE, "text/html"), None),
        (CADDY, answered(200), None),
        (NGINX, answered(502, NGINX_PAGE, "text/html"), "nginx can't connect"),
        (NGINX, answered(404, NGINX_PAGE, "text/html"), "nginx has no server for this name"),
        (NGINX, answered(404, "<title>Lago</title>", "text/html"), None),
        (NGINX_PROXY, answered(503, NGINX_PAGE, "text/html"), "nginx-proxy has no container for this name"),
        (NGINX_PROXY, answered(504, NGINX_PAGE, "text/html"), "nginx-proxy gets no answer"),
        (
            TUNNEL,
            answered(502, "<title>502: Cloudflare</title>", "text/html"),
            "The Cloudflare Tunnel can't connect",
        ),
        (OTHER, answered(503, "no server", "text/plain"), "The proxy has no server"),
        (NO_PROXY, answered(502), None),
    ],
)
def test_each_proxys_own_errors_are_told_in_its_name(kind: str, exchange: Exchange, words: str | None):
    said = own_error(kind, exchange)
    assert (said is None) if words is None else (said is not None and said[0].startswith(words) and said[1])


@pytest.mark.parametrize("kind", [each for each in PROXIES if each != TRAEFIK])
def test_no_words_of_another_proxy_mention_traefik(kind: str):
    assert "raefik" not in repr(WORDS[kind])


@pytest.mark.parametrize(("kind", "name"), [(CADDY, "Caddy"), (NGINX, "nginx"), (OTHER, "the proxy")])
def test_a_broken_site_is_told_in_the_words_of_its_proxy(world: World, kind: str, name: str):
    one_name(world, [])
    world.site.pages[("http", HOST, "/env-config.js")] = None
    world.site.pages[("https", HOST, "/api/health")] = Response("", 502, content_type="text/plain")
    world.site.certificates[HOST] = world.site.context("another.acme.test")
    seen = world.look(*STRIPPED, browser_api=public_url(f"https://{HOST}"), proxy=kind)
    found = [*certificates.is_trusted(seen, "front"), *redirects.http_redirects_to_https(seen, "front")]
    assert ids(found) == ["certificate-name", "http-not-redirected"]
    assert all("raefik" not in str(each) for each in found)
    one_name(world, [])
    world.site.pages[("https", HOST, "/api/health")] = Response("", 502, content_type="text/plain")
    (finding,) = http_answers.through_the_name(world.look(*STRIPPED, proxy=kind), "api")
    assert finding.id == "proxy-answers-itself" and finding.problem.lower().startswith(name.lower())
    assert "raefik" not in str(finding)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_every_proxys_kind_of_redirect_is_one(world: World, status: int):
    one_name(world, [])
    world.site.pages[("http", HOST, "/env-config.js")] = redirect(f"https://{HOST}/env-config.js", status)
    assert redirects.http_redirects_to_https(world.look(*STRIPPED, proxy=NGINX), "front") == []


def test_behind_a_tunnel_there_is_no_origin_to_look_at(world: World):
    one_name(world, [])
    given = {"browser_api": public_url(f"https://{HOST}"), "proxy": TUNNEL}
    seen = world.look(*STRIPPED, **given)
    green(seen, http_answers.through_the_name)
    assert one_reason(seen, http_answers.straight_to_the_origin) == dns_records.NO_ORIGIN
    world.dns.zone[(HOST, "A")] = "NXDOMAIN"
    with pytest.raises(Blocked) as blocked:
        http_answers.through_the_name(world.look(*STRIPPED, **given), "front")
    assert blocked.value.by == "name-absent"
    (finding,) = dns_records.resolves(world.look(*STRIPPED, **given), "front")
    assert "raefik" not in finding.fix


# --- what follows from the URLs alone ---


def view(front: str, api: str, **more: object) -> PublicEndpoints:
    urls = {"front": public_url(front), "api": public_url(api)}
    return PublicEndpoints(**{"urls": urls, "resolvers": (), "origin": "192.0.2.1", **more})


def test_roles_at_one_host_and_port_are_one_place():
    found = view("https://a.test", "https://a.test:8443/api")
    assert (found.firsts("host"), found.firsts("origin")) == (("front",), ("front", "api"))
    assert found.ports == (80, 443, 8443)


def test_a_door_is_of_everything_at_its_roles_place():
    found = view(
        "http://localhost",
        "http://localhost/api",
        doors={"front": ("127.0.0.1", 4711)},
        browser_api=PublicUrl("http", "localhost", 80),
    )
    assert found.pinned(found.urls["api"]) == found.pinned(found.graphql) == ("127.0.0.1", 4711)
    assert not found.only_on_the_host(found.urls["api"])
    assert view("http://localhost", "http://localhost:3000").only_on_the_host(found.urls["api"])
    assert found.ports == (80, 4711)


def test_an_address_is_its_own_door():
    found = view("http://203.0.113.7", "http://[2001:db8::7]:3000")
    assert found.pinned(found.urls["front"]) == ("203.0.113.7", 80)
    assert found.pinned(found.urls["api"]) == ("2001:db8::7", 3000)


def test_a_foreign_page_is_never_the_front():
    from lago_acceptance.probes.survey import foreign_origins

    for front in ("http://a.test:8080", "http://a.test", "https://a.test:8080/lago"):
        seen = view(front, front)
        # Lago compares host and port.
        assert seen.urls["front"].place not in [each.partition("://")[2] for each in foreign_origins(seen)]


def test_every_proxy_has_words():
    assert set(WORDS) == set(PROXIES)
    for each in WORDS.values():
        assert all(text or text is None for text in msgspec.structs.astuple(each))
