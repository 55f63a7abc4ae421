"""The gateway's plans decide what its variables are worth, and its log says why it falls back."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway as gateway_checks
from lago_acceptance.checks import gateway_effect, gateway_inside, gateway_log, gateway_plans
from lago_acceptance.checks.gateway_effect import Trouble, by_effect, explained, lagos_trouble
from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Red, Severity
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import LagoProcess
from lago_acceptance.facts.inside import InsideAnswer, InsideView
from tests.support import facts
from tests.support.facts import SETTINGS, ids

LAGO = [{"lago_id": "1", "code": "starter", "amount_cents": 4900, "amount_currency": "USD"}]
SHOWN = [{"id": "1", "slug": "starter", "amount": 49.0, "currency": "USD"}]
OWN = [{"id": "a-b", "slug": "starter", "amount": 29.0, "currency": "USD"}]
WELL = InsideAnswer(200, '{"version":"v1.16.0"}')
MINE = InsideAnswer(200, '{"organization":{"lago_id":"o","name":"Mine"}}')
UNKNOWN_KEY = InsideAnswer(401, '{"status":401}')
REFUSED_LOG = (
    "Lago error fetching plans: Client error '401 Unauthorized' for url 'http://lago-api:3000/api/v1/plans'",
    "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/401",
    'INFO:     10.0.0.1:1234 - "GET /api/billing/plans HTTP/1.1" 200 OK',
)
TRIAL_LOG = (
    "Lago error listing invoices: 1 validation error for LagoInvoice",
    "Lago error fetching plans: 1 validation error for LagoPlan",
    "trial_period",
    "  Input should be a valid integer, got a number with a fractional part [input_value=14.5]",
    "    For further information visit https://errors.pydantic.dev/2.12/v/int_from_float",
)
WRONG = {
    "gateway-key-refused": {"gateway-organization": UNKNOWN_KEY, "gateway-health": WELL},
    "gateway-not-answered-by-lago": {"gateway-organization": InsideAnswer(500, "{}"), "gateway-health": WELL},
    "gateway-key-of-another-organization": {
        "gateway-organization": InsideAnswer(200, '{"organization":{"lago_id":"x"}}'),
        "api-organization": MINE,
        "gateway-health": WELL,
    },
    "lago-not-reached-by-gateway": {"gateway-health": InsideAnswer(0, "refused")},
}


def _view(answers: dict[str, InsideAnswer], log: tuple[str, ...] = (), addresses: str = "10.0.0.2", **more):
    texts = {"gateway-url": "http://lago-api:3000", "gateway-addresses": addresses}
    return InsideView(texts, answers, None, None, log, **more)


def _judged(id: str, view: InsideView):
    key = id.startswith("gateway-") and "resolve" not in id
    return gateway_inside.key_is_accepted(view) if key else gateway_inside.finds_lago(view, "brain")


@pytest.mark.parametrize("id", WRONG)
def test_a_wrong_variable_is_a_warning_where_the_plans_are_lagos(id):
    assert ids(by_effect(_judged(id, _view(WRONG[id])), False)) == [id]
    assert ids(by_effect(_judged(id, _view(WRONG[id])), None)) == [id]
    (found,) = by_effect(_judged(id, _view(WRONG[id])), True)
    assert (found.id, found.severity) == ("gateway-variables-unused", Severity.WARNING)


def test_a_name_in_a_variable_that_nothing_resolves_is_a_warning_where_the_plans_are_lagos():
    view = _view({"gateway-health": InsideAnswer(0, "no such host")}, addresses="")
    assert ids(by_effect(gateway_inside.finds_lago(view, "brain"), False)) == ["gateway-cannot-resolve-lago"]
    assert ids(by_effect(gateway_inside.finds_lago(view, "brain"), True)) == ["gateway-variables-unused"]


def test_what_follows_from_an_address_that_is_not_used_is_unknown():
    view = _view({"gateway-health": InsideAnswer(0, "x"), "gateway-stranger": InsideAnswer(0, "x")})
    with pytest.raises(Blocked, match="lago-not-reached-by-gateway"):
        list(by_effect(gateway_inside.invalid_key_is_refused(view), False))
    with pytest.raises(Unknown, match="uses another URL than its variables say"):
        list(by_effect(gateway_inside.invalid_key_is_refused(view), True))


def test_what_does_not_come_from_a_variable_stays_an_error():
    view = _view({"gateway-health": WELL}, addresses="10.0.0.2 10.0.0.3")
    assert ids(by_effect(gateway_inside.finds_lago(view, "brain"), True)) == ["lago-name-shared"]


@pytest.mark.parametrize(
    "answers, lagos, trouble, id",
    [
        ({"gateway-organization": UNKNOWN_KEY, "gateway-health": WELL}, False, None, "gateway-key-refused"),
        ({"gateway-organization": MINE, "gateway-health": WELL}, False, None, "gateway-plans-are-its-own"),
        ({"gateway-organization": UNKNOWN_KEY, "gateway-health": WELL}, True, None, ""),
        ({"gateway-health": InsideAnswer(0, "x")}, False, None, "lago-not-reached-by-gateway"),
        ({"gateway-health": InsideAnswer(0, "x")}, False, Trouble("service-down", "down"), "service-down"),
        ({}, False, None, "gateway-plans-are-its-own"),
        ({}, None, None, ""),
    ],
)
def test_own_plans_have_one_cause(answers, lagos, trouble, id):
    assert gateway_effect.cause(_view(answers), "brain", lagos, trouble) == id


def test_own_plans_are_blocked_by_what_explains_them():
    view = _view({"gateway-organization": UNKNOWN_KEY, "gateway-health": WELL})
    with pytest.raises(Blocked, match="gateway-key-refused") as raised:
        list(gateway_plans.plans_are_lagos(OWN, LAGO, view, None, "gateway-key-refused"))
    assert "starter 29.0" in raised.value.missing
    own = gateway_plans.plans_are_lagos(OWN, LAGO, view, OWN, "gateway-plans-are-its-own")
    assert ids(own) == ["gateway-plans-are-its-own"]


def test_own_plans_of_one_moment_are_a_warning():
    (found,) = gateway_plans.plans_are_lagos(OWN, LAGO, _view({}), SHOWN)
    assert (found.id, found.severity) == ("gateway-fell-back", Severity.WARNING)
    dearer = [{**SHOWN[0], "amount": 79.0}]
    assert ids(gateway_plans.plans_are_lagos(OWN, LAGO, _view({}), dearer)) == [
        "gateway-fell-back",
        "gateway-plans-differ",
    ]


def test_plans_that_are_not_lagos_are_asked_for_once_more():
    asked = []

    def ask():
        asked.append(1)
        return SHOWN

    assert gateway_effect.listed(ask, SHOWN, LAGO).again is None and not asked
    seen = gateway_effect.listed(ask, OWN, LAGO)
    assert seen.again == SHOWN and gateway_effect.effect(seen, LAGO) is True and len(asked) == 1
    assert gateway_effect.effect(gateway_effect.Listed(OWN, OWN), LAGO) is False
    assert gateway_effect.effect(gateway_effect.Listed([], None), LAGO) is None
    assert gateway_effect.effect(gateway_effect.Listed(SHOWN, None), []) is None


def test_the_fix_follows_what_was_proven():
    proven = {"gateway-organization": MINE, "gateway-health": WELL}
    (found,) = gateway_plans.plans_are_lagos(OWN, LAGO, _view(proven, REFUSED_LOG), OWN)
    assert "uses another key or URL than these" in found.problem
    assert "its log: Lago error fetching plans: Client error '401 Unauthorized'" in found.problem
    assert "developer.mozilla" not in found.problem and "10.0.0.1" not in found.problem
    assert "give the gateway a key that Lago accepts" in found.fix
    (silent,) = gateway_plans.plans_are_lagos(OWN, LAGO, _view(proven), OWN)
    assert "its log" not in silent.problem and "docker logs" in silent.fix and "(name, key)" not in silent.fix


def test_a_plan_that_costs_the_gateway_all_of_them_is_named():
    held = [*LAGO, {**LAGO[0], "lago_id": "2", "code": "odd", "trial_period": 14.5}]
    for log in (TRIAL_LOG, ()):
        (found,) = gateway_plans.plans_are_lagos(OWN, held, _view({}, log), OWN)
        assert "trial_period of odd" in found.problem and "trial_period" in found.fix
    (found,) = gateway_plans.plans_are_lagos(OWN, held, _view({}, TRIAL_LOG), OWN)
    assert "1 validation error for LagoPlan trial_period Input should be a valid integer" in found.problem
    assert "errors.pydantic.dev" not in found.problem


def test_lagos_own_trouble_explains_what_follows_from_it():
    down = Trouble("service-down", "Lago's API is not running")
    red = lambda: gateway_inside.finds_lago(_view(WRONG["lago-not-reached-by-gateway"]), "brain")
    with pytest.raises(Blocked, match="service-down") as raised:
        list(
            explained(
                red(), down, "whether it finds Lago", "; meanwhile it lists plans of its own (starter 29.0)"
            )
        )
    assert "meanwhile it lists plans of its own" in raised.value.missing
    assert ids(explained(red(), None, "whether it finds Lago")) == ["lago-not-reached-by-gateway"]
    blocked = gateway_inside.key_is_accepted(
        _view({"gateway-organization": InsideAnswer(0, "x"), "gateway-health": InsideAnswer(0, "x")})
    )
    with pytest.raises(Blocked, match="service-down"):
        list(explained(blocked, down, "the key"))
    assert list(explained(iter(()), down, "the key")) == []


@pytest.mark.parametrize(
    "process, id",
    [
        (LagoProcess(error="ECONNREFUSED"), "api-unhealthy"),
        (LagoProcess(), "api-unhealthy"),
    ],
)
def test_an_api_that_does_not_answer_is_lagos_trouble(process, id):
    api = facts.container("api")
    assert lagos_trouble(facts.facts(api, lago={api.id: process}), SETTINGS).id == id


def test_an_api_that_is_stopped_is_lagos_trouble():
    stopped = facts.container("api", status="exited", running=False)
    seen = facts.facts(*facts.lago("api"), stopped)
    found = lagos_trouble(seen, SETTINGS)
    assert found.id == "service-down" and "not running" in found.words


def test_a_gateway_that_is_not_healthy_in_time_is_down():
    view = _view({}, ("starting", "waiting for the database", ""))
    (found,) = gateway_checks.runs(
        True, "brain", "it is not healthy after 180 s; its last line: waiting", view
    )
    assert found.id == "gateway-down" and "not healthy after 180 s" in found.problem
    ended = facts.container("gateway", status="exited", running=False, exit_code=3)
    view = _view({}, ("KeyError: DATABASE_URL",), ended=ended)
    (found,) = gateway_checks.runs(False, "brain", None, view)
    assert "exit code 3" in found.problem and "KeyError: DATABASE_URL" in found.problem
    assert "docker logs lago-gateway-1" in found.fix


def test_an_unhealthy_container_says_why():
    ill = facts.container("gateway", health="unhealthy", health_output='{"status": "unhealthy"}')
    view = InsideView({}, {}, ill, None, ("no route to brain-db",))
    assert gateway_checks.ailing(view) == (
        'its container is unhealthy; its last health check said: {"status": "unhealthy"}; '
        "its last line: no route to brain-db"
    )
    assert gateway_checks.ailing(InsideView({}, {}, facts.container("gateway"), None)) == ""


def test_health_is_held_against_what_the_plans_show():
    healthy, wrong = (
        _answer(200, {"status": "healthy"}),
        _view({"gateway-health": InsideAnswer(0, "refused")}),
    )
    assert ids(gateway_checks.is_healthy(healthy, wrong, True)) == []
    assert ids(gateway_checks.is_healthy(healthy, wrong)) == ["gateway-health-ignores-lago"]
    (found,) = gateway_checks.is_healthy(healthy, _view({"gateway-health": WELL}), False)
    assert found.id == "gateway-health-ignores-lago" and "plans of its own" in found.problem


def _answer(status: int, body, asked: str = "GET /x", **headers: str) -> ApiAnswer:
    return ApiAnswer(asked=asked, role="gateway", status=status, body=body, headers=headers)


def test_authentication_that_is_off_shows_by_the_route_that_answers():
    text = _answer(500, "Internal Server Error", "GET /subscription")
    (found,) = gateway_checks.auth_is_on(text, _answer(200, [], "GET /invoices"))
    assert found.id == "gateway-auth-off" and "GET /invoices" in found.problem
    assert ids(gateway_checks.auth_is_on(text, _answer(401, {}))) == ["gateway-fails"]
    assert ids(gateway_checks.auth_is_on(_answer(401, {}), _answer(422, {}))) == []


def test_a_failure_is_told_with_the_exception_of_its_log():
    answer = _answer(500, "Internal Server Error", **{"content-type": "text/plain; charset=utf-8"})
    attempt = Attempt.of(answer.taken)
    log = ("Traceback (most recent call last):", "AttributeError: 'Lago' object has no attribute 'plans'")
    with pytest.raises(Red, match="gateway-fails.*GET /x.*has no attribute 'plans'"):
        gateway_log.told(attempt, _view({}, log)).value()
    assert gateway_log.told(attempt, _view({})) is attempt
    assert gateway_log.cause(("nothing", "of note")) == gateway_log.raised(()) == gateway_log.last(()) == ""
