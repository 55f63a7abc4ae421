"""From where UI and API are reached, and what reaches them, as far as a deployment says it."""

from __future__ import annotations

import pytest

from lago_acceptance.core.roles import API, DB, FRONT
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
    Settings,
)
from lago_acceptance.core.urls import PublicUrl, public_url
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.lago.not_judged import not_judged
from lago_acceptance.model.deployment import Model, Network, Port, Service
from lago_acceptance.model.front_proxy import front_proxy
from lago_acceptance.model.platforms import platforms
from lago_acceptance.model.way_in import Scope, is_private, published_as, scope_of, way_in

NOTHING = Settings()


def service(name: str, role: str | None = None, image: str = "", **given) -> Service:
    return Service(name=name, image=image, role=role, **given)


def model(*services: Service, networks: tuple[Network, ...] = (), observed: bool = False) -> Model:
    return Model(observed=observed, project="lago", services=services, networks=networks)


def urls(front: str, api: str, browser: str = "", **given) -> tuple[Service, Service]:
    return (
        service("api", API, environment={"LAGO_FRONT_URL": front, "LAGO_API_URL": api}, **given),
        service("front", FRONT, environment={"API_URL": browser or api}, **given),
    )


@pytest.mark.parametrize(
    ("url", "scope"),
    [
        ("http://api:3000", Scope.CONTAINERS),
        ("http://db.inner.lan", Scope.CONTAINERS),
        ("http://elsewhere:3000", Scope.CONTAINERS),
        ("http://host.docker.internal:3000", Scope.CONTAINERS),
        ("http://0.0.0.0", Scope.CONTAINERS),
        ("http://localhost", Scope.MACHINE),
        ("https://lago.localhost", Scope.MACHINE),
        ("http://127.0.0.1:3000", Scope.MACHINE),
        ("http://[::1]:3000", Scope.MACHINE),
        ("http://192.168.1.7:3000", Scope.NETWORK),
        ("http://100.100.1.1", Scope.NETWORK),
        ("http://billing.lan", Scope.NETWORK),
        ("http://billing.home.arpa", Scope.NETWORK),
        ("http://server:8080", Scope.NETWORK),
        ("http://server", Scope.NETWORK),
        ("http://203.0.113.7", Scope.PUBLIC),
        ("https://billing.acme.io", Scope.PUBLIC),
        ("https://aliased.acme.io", Scope.PUBLIC),
    ],
)
def test_from_where_a_url_is_reached(url, scope):
    own = model(
        service("api", API, networks={"default": ("aliased.acme.io",)}),
        service("db", DB, networks={"default": ("db.inner.lan",)}),
        service("front", FRONT, ports=(Port("", "8080", 80),)),
    )
    assert scope_of(own, public_url(url)) == scope


def test_the_widest_address_counts_and_only_ports_without_a_proxy_are_plain():
    lan = way_in(model(*urls("http://localhost", "http://10.0.0.7:3000")), NOTHING)
    assert lan.scope == Scope.NETWORK and lan.plain
    assert lan.widest.url == PublicUrl("http", "10.0.0.7", 3000) and lan.widest.variable == "LAGO_API_URL"
    public = way_in(model(*urls("http://localhost", "https://api.acme.io")), NOTHING)
    assert public.scope == Scope.PUBLIC
    assert way_in(model(*urls(given_later("A"), given_later("B"))), NOTHING).scope is None


def test_settings_and_tunnels_say_that_it_is_public():
    local = urls("http://localhost", "http://localhost:3000")
    tunnel = service("tunnel", image="cloudflare/cloudflared:2024.12.0")
    assert way_in(model(*local, tunnel), NOTHING).scope == Scope.PUBLIC


@pytest.mark.parametrize(
    ("services", "kind", "platform"),
    [
        (urls("https://a.io", "https://b.io"), OTHER, ""),
        (urls("http://localhost", "http://localhost:3000"), NO_PROXY, ""),
        (urls("https://a.io", "https://b.io", networks={"dokploy-network": ()}), TRAEFIK, "Dokploy"),
        (urls("http://a.io", "http://b.io", networks={"captain-overlay-network": ()}), NGINX, "CapRover"),
        ((*urls("https://a.io", "https://b.io"), service("web", image="caddy:2")), CADDY, ""),
        (
            (
                *urls("https://a.io", "https://b.io"),
                service("web", image="nginx:1.27", ports=(Port("", "80", 80),)),
                service("generator", image="nginxproxy/docker-gen:0.14"),
            ),
            NGINX_PROXY,
            "",
        ),
        ((service("api", API, environment={"SERVICE_FQDN_API_3000": ""}),), TRAEFIK, "Coolify"),
        ((service("api", API, labels={"traefik.enable": "true"}),), TRAEFIK, ""),
        ((*urls("https://a.io", "https://b.io"), service("t", image="cloudflare/cloudflared:1")), TUNNEL, ""),
    ],
)
def test_the_proxy_and_the_platform_that_adds_its_routes(services, kind, platform):
    found = front_proxy(model(*services), NOTHING)
    assert (found.kind, found.platform) == (kind, platform)


def test_a_host_on_which_a_platform_has_deployed_shows_its_routes():
    own = urls("https://a.io", "https://b.io", networks={"dokploy-network": ()})
    assert front_proxy(model(*own, observed=True), NOTHING).platform == ""


def test_entry_points_in_the_settings_are_traefiks():
    edge = Settings(edge=EdgeSettings(https_entrypoint="tls"))
    assert front_proxy(model(*urls("https://a.io", "https://b.io")), edge).kind == TRAEFIK


@pytest.mark.parametrize(
    ("services", "words"),
    [
        (urls("https://a.io", "https://b.io"), "their proxy is not in this file"),
        (urls(given_later("A"), given_later("B")), "nothing here says how browsers come in"),
        (urls("https://a.io", "https://b.io", networks={"coolify": ()}), "Coolify adds them when it deploys"),
        ((*urls("https://a.io", "https://b.io"), service("web", image="caddy:2")), "the proxy is Caddy"),
        ((*urls("https://a.io", "https://b.io"), service("web", image="haproxy:3")), "web is not known here"),
        (
            (*urls("https://a.io", "https://b.io"), service("t", image="cloudflare/cloudflared:1")),
            "Cloudflare",
        ),
    ],
)
def test_routes_that_are_elsewhere_are_one_line(services, words):
    (line,) = not_judged(model(*services), NOTHING)
    assert line.startswith("routes not judged: ") and words in line


def test_what_is_judged_has_no_line_and_a_missing_front_has_one():
    assert list(not_judged(model(*urls("http://localhost", "http://localhost:3000")), NOTHING)) == []
    labels = {"traefik.enable": "true"}
    assert list(not_judged(model(*urls("https://a.io", "https://b.io", labels=labels)), NOTHING)) == []
    (line,) = not_judged(model(service("api", API, labels=labels)), NOTHING)
    assert "no front" in line


def test_ports_as_they_are_published():
    assert list(published_as(Port("", "3000-3002", 80))) == [3000, 3001, 3002]
    assert not published_as(Port("", "", 80)) and not published_as(Port("", given_later("P"), 80))
    assert is_private("172.17.0.1") and is_private("[::1]") and is_private("") is False
    assert is_private(given_later("IP")) is None


def test_every_platforms_proxy_is_a_kind_of_proxy():
    assert {each.proxy.lower() for each in platforms()} <= {*PROXIES, ""}
