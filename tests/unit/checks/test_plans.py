"""What Lago holds is held against the catalogue: plan by plan, metric by metric."""

from __future__ import annotations

import json

import msgspec
import pytest

from lago_acceptance.checks import plans
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding, Red, Severity
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.inside import InsideAnswer, InsideView
from lago_acceptance.plans.catalogue import Catalogue, Metric, Plan
from lago_acceptance.plans.seeding import Seeded

PLAN = Plan("starter", "Starter", "monthly", 4900, "USD", True)
METRIC = Metric("requests", "Requests", "sum_agg", "count")
HELD_METRIC = {**METRIC.as_lago(), "lago_id": "m"}
STARTER = {**PLAN.as_lago(), "lago_id": "1"}
CATALOGUE = Catalogue((PLAN,), (METRIC,))
SEEDED = Attempt(None)
NOT_SEEDED = Attempt(failure=Red(Finding(id="api-refused", problem="500", impact="none", fix="none")))


def view(**lists) -> InsideView:
    answers = {
        f"api-{name}": InsideAnswer(
            200, json.dumps({"plans" if name == "plans" else "billable_metrics": entries})
        )
        for name, entries in lists.items()
    }
    return InsideView({"api-has-key": "yes"}, answers, None, None)


def held(**changes) -> dict:
    return {"starter": {**STARTER, "charges": [], **changes}}


def ids(findings) -> list[str]:
    return [each.id for each in findings]


def test_a_lago_that_holds_the_catalogue_is_no_finding():
    assert ids(plans.each_is_in_lago(CATALOGUE, held())) == []
    assert ids(plans.each_is_as_the_catalogue_says(CATALOGUE, held())) == []
    assert ids(plans.others_are_reported(CATALOGUE, held())) == []
    assert ids(plans.metrics_are_as_the_catalogue_says(CATALOGUE, view(metrics=[HELD_METRIC]), SEEDED)) == []


def test_a_plan_that_lago_lacks_or_holds_otherwise_is_red():
    (found,) = plans.each_is_in_lago(CATALOGUE, {})
    assert (found.id, "starter" in found.problem) == ("plan-missing", True)
    assert ids(plans.each_is_as_the_catalogue_says(CATALOGUE, {})) == []
    (found,) = plans.each_is_as_the_catalogue_says(CATALOGUE, held(amount_cents=2900))
    assert found.id == "plan-drift" and "2900" in found.problem


def test_a_metric_that_lago_lacks_or_holds_otherwise_is_red():
    assert ids(plans.metrics_are_as_the_catalogue_says(CATALOGUE, view(metrics=[]), SEEDED)) == [
        "metric-missing"
    ]
    other = msgspec.structs.replace(METRIC, aggregation_type="max_agg").as_lago() | {"lago_id": "m"}
    assert ids(plans.metrics_are_as_the_catalogue_says(CATALOGUE, view(metrics=[other]), SEEDED)) == [
        "metric-drift"
    ]


def test_plans_beside_the_catalogue_are_a_warning_and_those_of_runs_are_not():
    more = {**held(), "old": {}, "lago-acceptance-20260101-000000-abcdef-plan": {}}
    (found,) = plans.others_are_reported(CATALOGUE, more)
    assert (found.id, found.severity, "old" in found.problem) == ("plan-unknown", Severity.WARNING, True)


def test_a_lago_without_plans_is_red_once_and_blocks_the_rest():
    assert ids(plans.lago_has_plans(view(plans=[]), SEEDED)) == ["plan-missing"]
    assert ids(plans.lago_has_plans(view(plans=[STARTER]), SEEDED)) == []
    with pytest.raises(Blocked, match="plan-missing"):
        plans.some_plans(view(plans=[]), SEEDED)
    assert plans.some_plans(view(plans=[STARTER]), SEEDED) == [STARTER]
    assert plans.held_plans(view(plans=[STARTER]), SEEDED) == {"starter": STARTER}


def test_where_seeding_failed_it_explains_what_is_missing():
    for check in (plans.lago_has_plans, plans.some_plans, plans.held_plans):
        with pytest.raises(Blocked, match="api-refused"):
            list(check(view(plans=[]), NOT_SEEDED))
    with pytest.raises(Blocked, match="api-refused"):
        list(plans.metrics_are_as_the_catalogue_says(CATALOGUE, view(metrics=[]), NOT_SEEDED))


@pytest.mark.parametrize("fix", ["", "set LAGO_API_KEY"])
def test_seeding_that_was_asked_for_and_not_done_is_red_and_blocks_what_needs_it(fix):
    unseen = Attempt[Seeded](failure=Unknown("no API key is known; give one", fix=fix))
    attempt = plans.asked_for(unseen)
    with pytest.raises(Red) as red:
        attempt.value()
    (found,) = red.value.findings
    assert found.id == "seeding-not-done" and "no API key is known; give one" in found.problem
    assert found.fix == (fix or "remove that cause, or leave out --seed")
    with pytest.raises(Blocked, match="seeding-not-done"):
        plans.held_plans(view(plans=[]), attempt)


@pytest.mark.parametrize("attempt", [SEEDED, NOT_SEEDED, Attempt(failure=Blocked("service-down", "Lago"))])
def test_seeding_that_worked_or_says_why_not_stays_as_it_is(attempt):
    assert plans.asked_for(attempt) is attempt
