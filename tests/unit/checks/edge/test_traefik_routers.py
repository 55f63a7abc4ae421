"""Routers: what a real Traefik (3.7.15) says in its API of each mistake, and what finding comes of it."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest

from lago_acceptance.checks.edge import every_host, traefik_routers
from lago_acceptance.core.settings import EdgeSettings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.model.deployment import Service
from tests.support import facts as support_facts
from tests.support.paths import DATA

SAID = json.loads((DATA / "recordings" / "traefik-api.json").read_text("utf-8"))
EDGE = EdgeSettings("web", "websecure", "letsencrypt", "proxy-net", "", (), 25, 14, ())
HOST = "billing-api.lago.test"
URL = PublicUrl("https", HOST, 443)


def container(role: str, addresses: dict[str, str], **more: Any) -> Container:
    networks = {network: (f"alias-{role}",) for network in addresses}
    service = Service(name=f"lago-{role}", image="", role=role, networks=networks)
    return support_facts.container(role, **{"service": service, "addresses": addresses, **more})


PROXY = container("proxy", {"proxy-net": "172.20.0.2"}, project="dokploy")
API = container("api", {"lago": "172.21.0.3", "proxy-net": "172.20.0.3"})
FRONT = container("front", {"proxy-net": "172.20.0.4"})
OTHER = container("db", {"proxy-net": "172.20.0.9"}, project="other")


def facts(
    said: dict[str, Any] | None, *containers: Container, others: tuple[Container, ...] = (PROXY, OTHER)
) -> Facts:
    return support_facts.facts(*(containers or (API, FRONT)), others=others, proxies={PROXY.id: said})


def says(*changed: dict[str, Any], without: str = "", url: str = "http://172.20.0.3:3000") -> dict[str, Any]:
    """Traefik's healthy word, with routers changed or added by name, one left out, and the server's URL."""
    said = copy.deepcopy(SAID["healthy"])
    by_name = {router["name"]: router for router in said["routers"] if router["name"] != without}
    for router in changed:
        by_name[router["name"]] = {**by_name.get(router["name"], {}), **router}
    said["routers"] = list(by_name.values())
    for service in said["services"]:
        for server in (service.get("loadBalancer") or {}).get("servers", []):
            server["url"] = url
    return said


def all_of(seen: Facts) -> list[str]:
    findings = [
        *traefik_routers.have_no_errors(seen, "api", URL),
        *traefik_routers.are_one_each(seen, "api", URL, EDGE),
        *traefik_routers.have_the_resolver(seen, "api", URL, EDGE),
        *traefik_routers.point_to_the_service(seen, "api", URL, EDGE),
    ]
    assert all(each.problem and each.impact and each.fix for each in findings)
    return [each.id for each in findings]


def test_healthy_routers_pass():
    assert all_of(facts(says())) == []


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("badentry@file", 'entryPoint "https" doesn\'t exist'),
        ("noservice@file", 'the service "absent@file" does not exist'),
        ("nomiddleware@file", 'middleware "nope@file" does not exist'),
        ("badrule@file", "error while parsing rule"),
        ("someentry@file", 'entryPoint "https" doesn\'t exist'),
    ],
)
def test_what_traefik_finds_wrong_is_told_in_its_own_words(mistake: str, words: str):
    broken = next(router for router in SAID["mistakes"] if router["name"] == mistake)
    seen = facts(says(broken))
    (finding,) = traefik_routers.have_no_errors(seen, "api", URL)
    assert finding.id == "router-broken"
    assert words in finding.problem
    assert traefik_routers.are_one_each(seen, "api", URL, EDGE) == [] or mistake == "someentry@file"


def test_a_broken_router_alone_leaves_its_entrypoint_without_one():
    broken = next(router for router in SAID["mistakes"] if router["name"] == "noservice@file")
    seen = facts(says(broken, without="lago-api@docker"))
    (finding,) = traefik_routers.are_one_each(seen, "api", URL, EDGE)
    assert finding.id == "router-missing"
    assert "noservice@file" in finding.problem


@pytest.mark.parametrize("without", ["lago-api@docker", "lago-api-http@docker"])
def test_a_missing_router_is_red(without: str):
    assert all_of(facts(says(without=without))) == ["router-missing"]


def test_a_router_for_a_part_of_the_host_does_not_count():
    partly = {"name": "lago-api@docker", "rule": f"Host(`{HOST}`) && PathPrefix(`/api`)"}
    assert "router-missing" in all_of(facts(says(partly)))
    beside = {
        "name": "acme@docker",
        "rule": f"Host(`{HOST}`) && PathPrefix(`/x`)",
        "using": ["websecure"],
        "status": "enabled",
    }
    assert all_of(facts(says(beside))) == []


def test_another_host_of_which_this_is_a_part_is_no_router_of_it():
    other = {
        "name": "o@docker",
        "rule": f"Host(`x-{HOST}`) || Host(`{HOST}.example`)",
        "using": ["websecure"],
        "status": "enabled",
    }
    assert all_of(facts(says(other))) == []


def test_two_routers_for_one_host_are_red():
    second = {
        "name": "second@docker",
        "rule": f"Host(`{HOST}`)",
        "using": ["websecure"],
        "status": "enabled",
        "service": "lago-api",
        "provider": "docker",
        "tls": {"certResolver": "letsencrypt"},
    }
    assert all_of(facts(says(second))) == ["router-duplicate"]


def test_an_entrypoint_that_redirects_by_itself_needs_no_router():
    internal = {
        "name": "web-to-websecure@internal",
        "rule": "HostRegexp(`^.+$`)",
        "using": ["web"],
        "status": "enabled",
    }
    assert all_of(facts(says(internal, without="lago-api-http@docker"))) == []


@pytest.mark.parametrize(
    "tls", [{"certResolver": "myresolver", "options": "default"}, {"options": "default"}]
)
def test_another_resolver_or_none_is_red_although_traefik_shows_no_error(tls: dict[str, str]):
    assert all_of(facts(says({"name": "lago-api@docker", "tls": tls}))) == ["router-resolver"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://172.20.0.4:80", "lago-front-1 (front)"),
        ("http://172.20.0.9:3000", "lago-db-1 (db)"),
        ("http://172.20.0.77:3000", "no container on this host"),
        ("http://172.20.0.3:8080", "has port 8080, while the api listens on 3000"),
        ("http://172.21.0.3:3000", "is on lago, which lago-proxy-1 is not on"),
    ],
)
def test_a_service_that_is_not_the_roles_own_is_red(url: str, words: str):
    (finding,) = traefik_routers.point_to_the_service(facts(says(url=url)), "api", URL, EDGE)
    assert finding.id == "router-leads-elsewhere"
    assert words in finding.problem


def test_names_lead_to_a_service_as_addresses_do():
    for name in ("lago-api", "lago-api-1", "alias-api"):
        assert all_of(facts(says(url=f"http://{name}:3000"))) == []


def test_a_service_without_servers_is_red():
    said = says()
    for service in said["services"]:
        service.get("loadBalancer", {}).pop("servers", None)
    assert all_of(facts(said)) == ["router-leads-elsewhere"]


def test_a_traefik_that_is_not_asked_leaves_it_unknown():
    for seen in (facts(None), facts(says(), others=(OTHER,))):
        with pytest.raises(Unknown, match="what the proxy does"):
            traefik_routers.are_one_each(seen, "api", URL, EDGE)


def test_a_traefik_on_other_networks_has_no_say():
    stranger = container("proxy", {"elsewhere": "172.29.0.2"}, id="stranger", name="stranger")
    seen = msgspec.structs.replace(
        facts(says(), others=(stranger, PROXY)), proxies={"stranger": says(), PROXY.id: says()}
    )
    assert all_of(seen) == []
    down = container("api", {}, running=False, service=API.service)
    strange = says(without="lago-api@docker")
    seen = msgspec.structs.replace(seen, containers=(down,), proxies={"stranger": strange, PROXY.id: says()})
    assert traefik_routers.are_one_each(seen, "api", URL, EDGE) == []


def test_which_of_several_strange_traefiks_serves_is_unknown():
    strangers = tuple(container("proxy", {"elsewhere": "172.29.0.2"}, id=each) for each in ("one", "two"))
    seen = msgspec.structs.replace(facts(says(), others=strangers), proxies={"one": says(), "two": says()})
    with pytest.raises(Unknown, match="2 Traefiks"):
        traefik_routers.are_one_each(seen, "api", URL, EDGE)


# --- every host together ---


def test_a_red_that_a_dead_service_explains_is_blocked_by_it():
    dead = container("api", {}, running=False, status="exited", exit_code=1)
    seen = facts(says(without="lago-api@docker"), dead, FRONT)

    def check(role: str, host: str):
        return traefik_routers.are_one_each(seen, role, host, EDGE)

    findings, held = every_host(check, {"api": URL}, seen)
    assert (findings, type(held), held.by) == ([], Blocked, "service-down")

    def blocked(role: str, host: str):
        raise Blocked("certificate-default", str(host))

    assert every_host(blocked, {"api": URL}, seen)[1].by == "service-down"
    assert every_host(blocked, {"front": URL}, seen)[1].by == "certificate-default"
    findings, held = every_host(check, {"api": URL}, None)
    assert ([each.id for each in findings], held) == (["router-missing"], None)


def test_one_unknown_host_does_not_hide_another_ones_red():
    def check(role: str, host: str):
        if role == "front":
            raise Unknown("the front can't be seen")
        return traefik_routers.are_one_each(facts(says(without="lago-api@docker")), role, URL, EDGE)

    findings, held = every_host(
        check, {"front": PublicUrl("https", "f", 443), "api": URL, "gateway": URL}, facts(says())
    )
    assert [each.id for each in findings] == ["router-missing", "router-missing"]
    assert str(held) == "the front can't be seen"


# --- two roles on one host, by path ---

BELOW = PublicUrl("https", HOST, 443, "/api")


def by_path(**more: Any) -> Facts:
    """The front takes the host, and a router with a path in its rule what is below /api."""
    rule = {
        "rule": f"Host(`{HOST}`) && PathPrefix(`/api`)",
        "priority": 60,
        "status": "enabled",
        "provider": "docker",
    }
    routers = [
        {"name": "front@docker", "rule": f"Host(`{HOST}`)", "priority": 29, "using": ["web", "websecure"]}
        | {
            "status": "enabled",
            "service": "lago-front",
            "provider": "docker",
            "tls": {"certResolver": "letsencrypt"},
        },
        {
            "name": "api@docker",
            "using": ["web", "websecure"],
            "service": "lago-api",
            "tls": {"certResolver": "letsencrypt"},
        }
        | rule
        | more,
    ]
    services = [
        {"name": f"lago-{role}@docker", "loadBalancer": {"servers": [{"url": f"http://{place}"}]}}
        for role, place in (("front", "172.20.0.4:80"), ("api", "172.20.0.3:3000"))
    ]
    return facts({"routers": routers, "services": services})


def found_for(seen: Facts, role: str, url: PublicUrl) -> list[str]:
    checks = (
        traefik_routers.are_one_each,
        traefik_routers.have_the_resolver,
        traefik_routers.point_to_the_service,
    )
    return [each.id for check in checks for each in check(seen, role, url, EDGE)]


def test_each_role_has_the_router_of_its_path():
    assert found_for(by_path(), "front", URL) == found_for(by_path(), "api", BELOW) == []


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"priority": 1}, ["router-leads-elsewhere"]),
        ({"rule": f"Host(`{HOST}`) && PathPrefix(`/apis`)"}, ["router-leads-elsewhere"]),
        ({"status": "disabled"}, ["router-leads-elsewhere"]),
        ({"priority": 29}, ["router-duplicate", "router-duplicate", "router-leads-elsewhere"]),
        ({"service": "lago-front"}, ["router-leads-elsewhere"]),
        ({"tls": {}}, ["router-resolver"]),
    ],
)
def test_a_path_that_is_routed_wrongly_is_red_for_its_role_alone(wrong: dict[str, Any], expected: list[str]):
    assert found_for(by_path(**wrong), "api", BELOW) == expected
    assert found_for(by_path(**wrong), "front", URL) == []


def test_what_is_reached_by_http_needs_no_router_for_https():
    plain = PublicUrl("http", HOST, 80)
    seen = facts(says(without="lago-api@docker"))
    assert [each.id for each in traefik_routers.are_one_each(seen, "api", plain, EDGE)] == []
    assert [each.id for each in traefik_routers.are_one_each(seen, "api", URL, EDGE)] == ["router-missing"]
    assert list(traefik_routers.have_the_resolver(seen, "api", plain, EDGE)) == []


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("caddy", "routers not judged: the proxy is Caddy"),
        ("nginx-proxy", "routers not judged: the proxy is nginx-proxy"),
        ("other", "routers not judged: the proxy is not Traefik"),
        ("none", "routers not judged: no proxy, http only"),
    ],
)
def test_the_routers_of_another_proxy_are_one_unknown(kind: str, why: str):
    with pytest.raises(Unknown) as raised:
        traefik_routers.must_be_traefiks(kind)
    assert str(raised.value) == raised.value.why == why
    traefik_routers.must_be_traefiks("traefik")
