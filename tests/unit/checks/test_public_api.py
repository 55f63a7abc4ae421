"""What clients get from Lago's API is judged by answer, and explained by what phases 2 and 3 know already."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import public_api
from lago_acceptance.clients.answers import ApiAnswer, not_answered
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideAnswer, InsideView
from lago_acceptance.probes.dns import DnsAnswer, DnsOutcome
from lago_acceptance.probes.public_endpoints import PublicEndpoints, Resolver
from lago_acceptance.probes.survey import PublicSurvey
from tests.support.endpoints import urls
from tests.support.facts import container, facts

HOST = "api.example.test"
REFUSAL = {"status": 401, "error": "Unauthorized"}


def answer(status: int, body) -> ApiAnswer:
    return ApiAnswer(asked="GET /x", role=API, status=status, body=body)


def ids(findings) -> list[str]:
    return [each.id for each in findings]


def view(status: int = 200, text: str = "", has_key: str = "yes") -> InsideView:
    answers = {"api-organization": InsideAnswer(status, text)} if text else {}
    return InsideView({"api-has-key": has_key}, answers, None, container(API))


def survey(outcome: DnsOutcome) -> PublicSurvey:
    """A survey in which nobody has an address for the API's name."""
    resolvers = (Resolver("first", "192.0.2.1"), Resolver("second", "192.0.2.2"))
    answers = tuple(
        DnsAnswer(host=HOST, kind=kind, resolver=each.name, outcome=outcome)
        for each in resolvers
        for kind in ("A", "AAAA")
    )
    endpoints = PublicEndpoints(urls=urls({API: HOST}), resolvers=resolvers, origin=None, roots=None)
    return PublicSurvey(view=endpoints, now=0.0, answers=answers)


def test_lagos_own_refusal_is_no_finding():
    assert ids(public_api.refuses("without a key", answer(401, REFUSAL))) == []


@pytest.mark.parametrize(
    "status, body", [(200, {"organization": {}}), (401, {"error": "no"}), (500, REFUSAL)]
)
def test_any_other_answer_without_a_key_is_red(status, body):
    (found,) = public_api.refuses("without a key", answer(status, body))
    assert (
        found.id == "api-open" and found.problem.startswith("without a key") and str(status) in found.problem
    )


@pytest.mark.parametrize(
    "status, text, expected",
    [
        (200, '{"organization":{"lago_id":"o"}}', []),
        (401, '{"status":401}', ["api-refuses-its-key"]),
        (500, '{"status":500}', ["api-fails"]),
        (200, "<html>", ["api-fails"]),
        (200, '{"organization":null}', ["api-fails"]),
        (200, '{"organization":{}}', ["api-fails"]),
        (200, "[]", ["api-fails"]),
    ],
)
def test_the_organizations_answer_is_judged_by_what_it_holds(status, text, expected):
    assert (
        ids(public_api.organization_answers_to_its_key(view(status, text), facts(container(API)))) == expected
    )


def test_what_was_not_asked_inside_is_unknown_and_an_api_that_is_down_explains_it():
    with pytest.raises(Unknown, match="LAGO_API_KEY"):
        list(public_api.organization_answers_to_its_key(view(has_key="no"), facts(container(API))))
    with pytest.raises(Unknown, match="in time"):
        list(public_api.organization_answers_to_its_key(view(), facts(container(API))))
    nothing = InsideView({}, {}, None, None)
    with pytest.raises(Blocked, match="service-down"):
        list(public_api.organization_answers_to_its_key(nothing, facts(container(API, running=False))))


def test_a_name_that_phase_3_calls_red_blocks_and_one_defect_has_one_id():
    failed = Attempt(failure=not_answered(API, "unreachable", "GET /health", "no address"))
    blocked = public_api.reached(failed, API, lambda: survey(DnsOutcome.ABSENT))
    assert isinstance(blocked.failure, Blocked) and blocked.failure.by == "name-absent"


def test_a_failure_that_phase_3_does_not_explain_stays_red():
    failed = Attempt(failure=not_answered(API, "slow", "GET /health", "no answer"))
    assert public_api.reached(failed, API, lambda: survey(DnsOutcome.UNANSWERED)) is failed
    # Another host's survey says nothing either.
    assert public_api.reached(failed, "gateway", lambda: survey(DnsOutcome.ABSENT)) is failed


def test_what_was_reached_or_answered_itself_needs_no_survey():
    def surveyed():
        raise AssertionError("nobody needs a survey here")

    good = Attempt("client")
    assert public_api.reached(good, API, surveyed) is good
    red = Attempt(failure=Red(Finding(id="api-refused", problem="500", impact="none", fix="none")))
    assert public_api.reached(red, API, surveyed) is red
