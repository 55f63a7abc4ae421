"""Phase 6: Lago holds the catalogue's plans, as they should be."""

from __future__ import annotations

import pytest

from lago_acceptance.core.findings import Finding, Severity
from lago_acceptance.core.roles import API
from lago_acceptance.plans.seeding import metric_drift, plan_drift

pytestmark = [pytest.mark.smoke, pytest.mark.phase6]

FIX = "seed it: --seed makes what is missing, --reseed changes what differs"


@pytest.fixture
def held_plans(inside_view, seeded):
    """Lago's plans, as Lago says inside its own container. Blocked where seeding failed, which says why."""
    seeded.block_if_red("the catalogue's plans, which could not be seeded")
    return {plan["code"]: plan for plan in inside_view.listed("api-plans", "plans")}


def test_seeding_worked(seeded):
    seeded.value()


def test_every_plan_of_the_catalogue_is_in_lago(catalogue, held_plans, judge):
    judge(
        Finding(
            id="plan-missing",
            role=API,
            problem=f"Lago has no plan {plan.code}",
            impact="nobody can subscribe to it",
            fix=FIX,
        )
        for plan in catalogue.plans
        if plan.code not in held_plans
    )


def test_every_plan_is_as_the_catalogue_says(catalogue, held_plans, judge):
    judge(
        Finding(
            id="plan-drift",
            role=API,
            problem=str(drift),
            impact="customers are billed otherwise than they were told",
            fix=FIX,
        )
        for plan in catalogue.plans
        if plan.code in held_plans
        for drift in plan_drift(plan, held_plans[plan.code])
    )


def test_every_metric_is_as_the_catalogue_says(catalogue, inside_view, seeded, judge):
    seeded.block_if_red("the catalogue's metrics, which could not be seeded")
    held = {metric["code"]: metric for metric in inside_view.listed("api-metrics", "billable_metrics")}
    findings = []
    for metric in catalogue.billable_metrics:
        if metric.code not in held:
            findings.append(("metric-missing", f"Lago has no billable metric {metric.code}"))
        else:
            findings += [("metric-drift", str(drift)) for drift in metric_drift(metric, held[metric.code])]
    judge(
        Finding(id=id, role=API, problem=problem, impact="usage is not counted, or counted wrongly", fix=FIX)
        for id, problem in findings
    )


def test_what_else_lago_offers_is_told(catalogue, held_plans, judge):
    from lago_acceptance.core.run import PREFIX

    known = {plan.code for plan in catalogue.plans}
    judge(
        Finding(
            id="plan-unknown",
            role=API,
            severity=Severity.WARNING,
            problem=f"Lago has the plan {code}, which the catalogue does not name",
            impact="customers may be subscribed to something that nobody looks after",
            fix="add it to the catalogue, or delete it in Lago once nobody is subscribed",
        )
        for code in sorted(held_plans.keys() - known)
        if not code.startswith(PREFIX)
    )
