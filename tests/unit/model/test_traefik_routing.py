"""Which paths a router's rule lets through, and which router answers."""

from __future__ import annotations

import pytest

from lago_acceptance.core.roles import API
from lago_acceptance.core.value_shapes import given_later
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.model.traefik_routing import ways_to

HOST = "Host(`api.example.com`)"
CLOSED = f"{HOST} && PathPrefix(`/sidekiq`)"


def ways(**labels: str) -> list[str]:
    dotted = {
        f"traefik.http.{key.replace('__', '.').replace('_DASH_', '-')}": value
        for key, value in labels.items()
    }
    service = Service(name="api", image="", role=API, labels={"traefik.enable": "true", **dotted})
    model = Model(observed=False, project="", services=(service,))
    return [way.path for way in ways_to(model, API, "/sidekiq")]


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        (HOST, True),
        ("Host(`a.example.com`, `api.example.com`)", True),
        (f"{HOST} && PathPrefix(`/api`)", False),
        (f"{HOST} && (PathPrefix(`/api`) || PathPrefix(`/sidekiq`))", True),
        (f"{HOST} && !PathPrefix(`/sidekiq`)", False),
        (f"{HOST} && !(Path(`/sidekiq`) || PathPrefix(`/metrics`))", False),
        (f"{HOST} && PathRegexp(`^/(sidekiq|metrics)`)", True),
        (f"{HOST} && PathPrefix(`/{{name:[a-z]+}}`)", None),
        (f"{HOST} && ClientIP(`10.0.0.0/8`)", None),
        (f"{HOST} && Method(`GET`)", True),
        (f"{HOST} &&", None),
        (f"({HOST}", None),
        ("Host(`a", None),
    ],
)
def test_a_rule_admits_a_path(rule, admitted):
    assert set(ways(routers__api__rule=rule)) == ({"/sidekiq"} if admitted else set())


def test_a_router_without_a_path_opens_every_path():
    assert ways(routers__api__rule=HOST) == ["/sidekiq"]


def test_what_is_stripped_comes_before_the_path():
    rule = f"{HOST} && PathPrefix(`/api`)"
    assert ways(routers__api__rule=rule) == []
    stripped = {"routers__api__middlewares": "strip", "middlewares__strip__stripprefix__prefixes": "/api"}
    assert ways(routers__api__rule=rule, **stripped) == ["/api/sidekiq"]


@pytest.mark.parametrize(
    "kind", ["ipallowlist.sourcerange", "ipwhitelist.sourcerange", "basicauth.users", "forwardauth.address"]
)
def test_a_router_with_a_guard_closes_its_path(kind):
    guard = {
        "routers__shut__middlewares": "guard@docker",
        f"middlewares__guard__{kind.replace('.', '__')}": "x",
    }
    assert ways(routers__api__rule=HOST, routers__shut__rule=CLOSED, **guard) == []


def test_a_guard_of_another_file_closes_and_headers_do_not():
    assert ways(routers__api__rule=HOST, routers__api__middlewares="login@file") == []
    assert ways(routers__api__rule=HOST, routers__api__middlewares="secure-headers@file") == ["/sidekiq"]


def test_a_guard_behind_a_router_of_higher_priority_closes_nothing():
    guard = {"routers__shut__middlewares": "guard", "middlewares__guard__basicauth__users": "x"}
    open_first = {"routers__api__rule": HOST, "routers__api__priority": "500"}
    assert ways(routers__shut__rule=CLOSED, **open_first, **guard) == ["/sidekiq"]


def test_a_chain_is_as_closed_as_its_parts():
    chain = {
        "routers__api__middlewares": "all",
        "middlewares__all__chain__middlewares": "zip,guard",
        "middlewares__zip__compress": "true",
        "middlewares__guard__ipallowlist__sourcerange": "127.0.0.1/32",
    }
    assert ways(routers__api__rule=HOST, **chain) == []
    chain["middlewares__all__chain__middlewares"] = "zip"
    assert ways(routers__api__rule=HOST, **chain) == ["/sidekiq"]


def test_which_of_two_rules_is_longer_isnt_known_where_the_deploy_fills_them():
    late = given_later("DOMAIN")
    rivals = {
        "routers__api__rule": f"Host(`{late}`) || Host(`www.{late}`)",
        "routers__shut__rule": f"Host(`{late}`) && PathPrefix(`/sidekiq`)",
        "routers__shut__service": "noop@internal",
    }
    # On www the first has no rival.
    assert ways(**rivals) == ["/sidekiq"]
    assert ways(**rivals, routers__api__priority="500") == ["/sidekiq", "/sidekiq"]
