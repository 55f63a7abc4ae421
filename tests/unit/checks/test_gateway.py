"""What the gateway shows is held against Lago's own word, field by field."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest

from lago_acceptance.checks import gateway as gateway_checks
from lago_acceptance.checks import gateway_inside, gateway_issuer, gateway_plans, inside
from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.gateway import CAPABILITIES, Operation, required
from lago_acceptance.core import settings
from lago_acceptance.core.findings import Red, Severity
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideAnswer, InsideView
from tests.support import facts

LAGO = [
    {"lago_id": "1", "code": "free", "amount_cents": 0, "amount_currency": "USD"},
    {"lago_id": "2", "code": "starter", "amount_cents": 4900, "amount_currency": "USD"},
]
SHOWN = [
    {"id": "1", "slug": "free", "amount": 0.0, "currency": "USD"},
    {"id": "2", "slug": "starter", "amount": 49.0, "currency": "USD"},
]


def _view(texts: dict[str, str] | None = None, **answers: InsideAnswer) -> InsideView:
    known = {
        "gateway-url": "http://lago-api:3000",
        "gateway-addresses": "10.0.0.2",
    }
    return InsideView(
        {**known, **(texts or {})},
        {name.replace("_", "-"): answer for name, answer in answers.items()},
        None,
        None,
    )


def _answer(status: int, body) -> ApiAnswer:
    return ApiAnswer(asked="GET /x", role="gateway", status=status, body=body)


def _ids(findings) -> list[str]:
    return [finding.id for finding in findings]


def test_lagos_own_plans_are_no_finding():
    assert _ids(gateway_plans.plans_are_lagos(SHOWN, LAGO, _view())) == []


@pytest.mark.parametrize("field, value", [("amount", 29.0), ("slug", "begin"), ("currency", "EUR")])
def test_a_field_that_differs_is_named(field, value):
    shown = [SHOWN[0], {**SHOWN[1], field: value}]
    found = list(gateway_plans.plans_are_lagos(shown, LAGO, _view()))
    assert _ids(found) == ["gateway-plans-differ"]
    assert field in found[0].problem


def test_a_plan_too_many_or_too_few_is_named():
    stranger = {"id": "9", "slug": "trial", "amount": 0.0, "currency": "USD"}
    found = list(gateway_plans.plans_are_lagos([SHOWN[0], stranger], LAGO, _view()))
    assert ["trial" in found[0].problem, "starter" in found[1].problem] == [True, True]
    assert _ids(gateway_plans.plans_are_lagos([], LAGO, _view())) == ["gateway-plans-differ"]


def test_its_own_plans_are_told_with_lagos_reason():
    own = [{"id": "a-b-c", "slug": "starter", "amount": 29.0, "currency": "USD"}]
    view = _view(gateway_organization=InsideAnswer(401, '{"status":401}'))
    found = list(gateway_plans.plans_are_lagos(own, LAGO, view))
    assert _ids(found) == ["gateway-plans-are-its-own"]
    assert "401" in found[0].problem


def test_a_key_of_another_organization_is_told():
    view = _view(
        gateway_organization=InsideAnswer(200, '{"organization":{"lago_id":"x","name":"Other"}}'),
        api_organization=InsideAnswer(200, '{"organization":{"lago_id":"y","name":"Mine"}}'),
    )
    assert _ids(gateway_inside.key_is_accepted(view)) == ["gateway-key-of-another-organization"]


def test_the_front_in_lagos_place_is_told():
    html = InsideAnswer(200, "<!DOCTYPE html><title>Lago - Cloud</title>")
    view = _view(gateway_health=html, gateway_organization=html, gateway_stranger=html)
    assert _ids(gateway_inside.finds_lago(view, "n")) == ["lago-not-reached-by-gateway"]
    # One defect, one id: what its keys are worth follows from it.
    for check in (gateway_inside.key_is_accepted, gateway_inside.invalid_key_is_refused):
        with pytest.raises(Blocked, match="lago-not-reached-by-gateway"):
            list(check(view))


def test_a_lago_that_fails_or_takes_any_key_is_told():
    well = InsideAnswer(200, '{"version":"v1.16.0"}')
    failing = InsideAnswer(500, '{"status":500}')
    view = _view(gateway_health=well, gateway_organization=failing, gateway_stranger=failing)
    assert _ids(gateway_inside.key_is_accepted(view)) == ["gateway-not-answered-by-lago"]
    assert _ids(gateway_inside.invalid_key_is_refused(view)) == ["lago-takes-any-key"]
    unknown_key = InsideAnswer(401, '{"status":401}')
    view = _view(gateway_health=well, gateway_organization=unknown_key, gateway_stranger=unknown_key)
    assert _ids(gateway_inside.key_is_accepted(view)) == ["gateway-key-refused"]
    assert _ids(gateway_inside.invalid_key_is_refused(view)) == []


@pytest.mark.parametrize(
    "addresses, by", [("10.0.0.2", "lago-not-reached-by-gateway"), ("", "gateway-cannot-resolve-lago")]
)
def test_a_lago_that_the_gateway_can_not_reach_is_one_red(addresses, by):
    none = InsideAnswer(0, "connection refused")
    view = _view(
        {"gateway-addresses": addresses},
        gateway_health=none,
        gateway_organization=none,
        gateway_stranger=none,
    )
    assert _ids(gateway_inside.finds_lago(view, "n")) == [by]
    for check in (gateway_inside.key_is_accepted, gateway_inside.invalid_key_is_refused):
        with pytest.raises(Blocked, match=by):
            list(check(view))


def test_a_gateway_without_a_key_is_unknown():
    answer = InsideAnswer(401, "{}")
    with pytest.raises(Unknown, match="has no LAGO_API_KEY"):
        list(gateway_inside.key_is_accepted(_view({"gateway-has-key": "no"}, gateway_organization=answer)))


def test_health_that_hides_a_dead_lago_is_a_warning():
    healthy = _answer(200, {"status": "healthy"})
    assert (
        _ids(
            gateway_checks.is_healthy(
                healthy, _view(gateway_health=InsideAnswer(200, '{"version":"v1.16.0"}'))
            )
        )
        == []
    )
    found = list(
        gateway_checks.is_healthy(healthy, _view(gateway_health=InsideAnswer(0, "connection refused")))
    )
    assert [(each.id, each.severity) for each in found] == [("gateway-health-ignores-lago", Severity.WARNING)]
    assert _ids(gateway_checks.is_healthy(_answer(503, {"status": "unhealthy"}), _view())) == [
        "gateway-unhealthy"
    ]


def test_a_subscription_that_lago_calls_otherwise_is_told():
    held = [{"plan_code": "starter", "external_id": "sub_1", "status": "pending"}]
    answer = {"id": "sub_1", "status": "active"}
    assert _ids(gateway_plans.created_in_lago(answer, "starter", held)) == ["gateway-subscription-differs"]
    assert _ids(gateway_plans.created_in_lago(answer, "growth", held)) == ["gateway-subscription-is-its-own"]


def test_what_the_api_says_inside_its_container_is_judged_by_its_status():
    with pytest.raises(Red, match="api-refuses-its-key"):
        inside.listed(_view(api_plans=InsideAnswer(401, '{"status":401}')), "api-plans", "plans")
    with pytest.raises(Red, match="api-fails"):
        inside.listed(_view(api_plans=InsideAnswer(200, "<html>")), "api-plans", "plans")
    with pytest.raises(Unknown):
        inside.listed(_view(), "api-plans", "plans")


LAGOS_OWN_WORDS = [
    {"lago_id": "1", "code": "free", "amount_cents": 0, "amount_currency": "USD"},
    {"lago_id": "2", "plan_code": "starter", "amount": "49.00", "amount_currency": "USD"},
]


def test_a_gateway_that_uses_lagos_own_words_is_understood():
    assert _ids(gateway_plans.plans_are_lagos(LAGOS_OWN_WORDS, LAGO, _view())) == []
    dearer = [LAGOS_OWN_WORDS[0], {**LAGOS_OWN_WORDS[1], "amount": "79.00"}]
    (found,) = gateway_plans.plans_are_lagos(dearer, LAGO, _view())
    assert "amount of starter is '79.00'" in found.problem
    held = [{"plan_code": "starter", "external_id": "sub_1", "lago_id": "l", "status": "active"}]
    for answer in ({"id": "sub_1"}, {"id": "l"}, {"lago_id": "l"}, {"external_id": "sub_1"}):
        assert _ids(gateway_plans.created_in_lago({**answer, "status": "active"}, "starter", held)) == []
    assert _ids(gateway_plans.created_in_lago({"status": "active"}, "starter", held)) == [
        "gateway-subscription-is-its-own"
    ]


@pytest.mark.parametrize(
    ("status", "id"),
    [(401, None), (403, None), (200, "gateway-auth-off"), (404, "gateway-auth-off"), (500, "gateway-fails")],
)
def test_an_answer_without_a_token_is_judged_by_its_status(status, id):
    assert _ids(gateway_checks.auth_is_on(_answer(status, {"detail": "x"}))) == ([id] if id else [])
    taken = "gateway-takes-bad-token" if id == "gateway-auth-off" else id
    assert _ids(gateway_checks.token_is_refused("a forged token", _answer(status, {}))) == (
        [taken] if taken else []
    )


def test_a_token_that_is_asked_for_as_a_field_tells_nothing():
    with pytest.raises(Unknown, match="requires a token"):
        list(gateway_checks.auth_is_on(_answer(422, {"detail": []})))


def test_a_degraded_gateway_is_a_warning():
    found = list(gateway_checks.is_healthy(_answer(200, {"status": "degraded"}), _view()))
    assert [(each.id, each.severity) for each in found] == [("gateway-degraded", Severity.WARNING)]


PUBLIC = {"gateway-url": "https://billing-api.example.net"}
WELL = InsideAnswer(200, '{"version":"v1.16.0"}')


def test_a_gateway_that_goes_by_lagos_public_name_is_judged_by_what_answers_there():
    cdn = {**PUBLIC, "gateway-addresses": "192.0.2.1\n192.0.2.2"}
    assert _ids(gateway_inside.finds_lago(_view(cdn, gateway_health=WELL), "n")) == []
    front = InsideAnswer(200, "<title>Lago</title>")
    assert _ids(gateway_inside.finds_lago(_view(cdn, gateway_health=front), "n")) == [
        "lago-not-reached-by-gateway"
    ]
    two = {"gateway-addresses": "10.0.0.2\n10.0.0.3"}
    assert _ids(gateway_inside.finds_lago(_view(two, gateway_health=WELL), "n")) == ["lago-name-shared"]


@pytest.mark.parametrize(
    ("addresses", "id"),
    [
        ("10.0.0.2", None),
        ("10.1.0.2", None),
        ("10.0.0.2\n10.1.0.2", None),
        ("10.0.0.9", "lago-name-elsewhere"),
        ("10.0.0.2\n10.0.0.9", "lago-name-shared"),
    ],
)
def test_an_address_of_the_api_on_any_network_is_lagos(addresses, id):
    api = facts.container("api", addresses={"brain": "10.0.0.2", "proxy": "10.1.0.2"})
    view = InsideView(
        {"gateway-url": "http://lago-api:3000", "gateway-addresses": addresses},
        {"gateway-health": WELL},
        None,
        api,
    )
    assert _ids(gateway_inside.finds_lago(view, "brain")) == ([id] if id else [])


def test_a_container_in_which_nothing_can_be_asked_is_unknown():
    mute = InsideAnswer(0, "neither curl nor python3 is in this container")
    for answers in ({}, {"gateway_health": mute, "gateway_organization": mute, "gateway_stranger": mute}):
        for check in (gateway_inside.key_is_accepted, gateway_inside.invalid_key_is_refused):
            with pytest.raises(Unknown):
                list(check(_view(**answers)))
        with pytest.raises(Unknown):
            list(gateway_inside.finds_lago(_view(**answers), "n"))
    nobody = {"gateway-addresses": "", "gateway-resolver": "none"}
    with pytest.raises(Unknown, match="getent"):
        list(gateway_inside.finds_lago(_view(nobody, gateway_health=WELL), "n"))
    assert _ids(gateway_inside.finds_lago(_view({"gateway-addresses": ""}, gateway_health=WELL), "n")) == [
        "gateway-cannot-resolve-lago"
    ]


def test_strangers_are_no_matter_where_nothing_answers():
    with pytest.raises(Blocked, match="lago-not-reached-by-gateway"):
        list(
            gateway_inside.invalid_key_is_refused(
                _view(gateway_stranger=InsideAnswer(0, "connection refused"))
            )
        )


def test_a_key_with_limited_permissions_is_unknown():
    limited = InsideAnswer(403, '{"status":403,"code":"read_action_not_allowed_for_organization"}')
    with pytest.raises(Unknown, match="permissions"):
        list(gateway_inside.key_is_accepted(_view(gateway_organization=limited)))
    with pytest.raises(Unknown, match="permissions"):
        inside.listed(_view({"api-has-key": "yes"}, api_plans=limited), "api-plans", "plans")


def test_a_list_that_goes_on_is_unknown():
    more = InsideAnswer(200, '{"plans":[{"code":"a"}],"meta":{"next_page":2}}')
    with pytest.raises(Unknown, match="more plans"):
        inside.listed(_view({"api-has-key": "yes"}, api_plans=more), "api-plans", "plans")


@pytest.mark.parametrize(
    ("status", "asked", "well"),
    [(401, False, False), (503, False, False), (500, False, True), (401, True, True), (200, False, True)],
)
def test_a_gateway_that_never_read_the_issuers_keys_is_red_in_a_stack(status, asked, well):
    gateway = SimpleNamespace(read=lambda operation, token: _answer(status, {}))
    there = {"subscriptions": Operation("GET", "/api/billing/subscription")}
    token = Secret("token")
    if well:
        assert gateway_issuer.checkable(token, gateway, there, lambda: asked) is token
        return
    with pytest.raises(Red, match="gateway-issuer-not-reached") as raised:
        gateway_issuer.checkable(token, gateway, there, lambda: asked)
    assert "http://issuer.example.test:8000" in raised.value.findings[0].problem


SETTINGS = settings.load(ROOT / "settings.toml")
NO_GATEWAY = msgspec.structs.replace(SETTINGS, hosts=msgspec.structs.replace(SETTINGS.hosts, gateway=""))


def _answers() -> bool:
    return True


def _silent() -> bool:
    return False


def test_a_gateway_that_is_not_there_is_one_red_and_blocks_the_rest():
    view = _view()
    assert gateway_checks.is_found(view, SETTINGS, "brain", "", _silent) is False
    (found,) = gateway_checks.runs(False, "brain", "exited with code 1")
    assert found.id == "gateway-down" and "exited with code 1" in found.problem and "brain" in found.problem
    with pytest.raises(Blocked, match="gateway-down"):
        gateway_checks.must_run(False, "what it sees")
    there = msgspec.structs.replace(view, gateway=facts.container("gateway"))
    assert gateway_checks.is_found(there, SETTINGS, "brain", "none was started", _silent) is True
    assert list(gateway_checks.runs(True, "brain", None)) == []
    gateway_checks.must_run(True, "what it sees")


@pytest.mark.parametrize(
    "known, not_started, answers, said",
    [
        (NO_GATEWAY, "", _silent, "no gateway is named"),
        (SETTINGS, "none was started", _silent, "none was started"),
        (SETTINGS, "", _answers, "no container on brain can be identified"),
    ],
)
def test_a_gateway_that_can_not_be_told_is_unknown(known, not_started, answers, said):
    with pytest.raises(Unknown, match=said):
        gateway_checks.is_found(_view(), known, "brain", not_started, answers)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_each_route_that_is_missing_has_an_id_of_its_own(capability):
    offered = {name: Operation("GET", f"/{name}") for name in CAPABILITIES}
    assert list(gateway_checks.offers(capability, offered)) == []
    del offered[capability]
    (found,) = gateway_checks.offers(capability, offered)
    assert found.id == f"gateway-lacks-{capability}" == CAPABILITIES[capability].lacking
    with pytest.raises(Blocked, match=found.id):
        required(offered, capability)


@pytest.mark.parametrize(
    "status, expected", [(401, []), (403, []), (200, ["gateway-takes-bad-token"]), (500, ["gateway-fails"])]
)
def test_a_bad_token_must_be_refused(status, expected):
    assert _ids(gateway_checks.token_is_refused("forged", _answer(status, {}))) == expected
