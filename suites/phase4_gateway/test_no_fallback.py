"""Phase 4: what the gateway lists and creates is in Lago, shown by things that only this run knows."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway as gateway_checks
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.scenarios import cleanup

pytestmark = [pytest.mark.writes, pytest.mark.phase4]


def test_the_gateway_lists_a_plan_that_only_this_run_knows(
    operation, gateway, gateway_stack, lago, owner, write_permit, swept, inside_view, judge
):
    if not gateway_stack:
        raise Unknown("the gateway bills in production's organization, where no plan of this run is made")
    plans = operation("plans")
    code = f"lago-acceptance-{owner.run}-unheard-of"
    made = lago.create(
        "plans",
        "plan",
        {
            "name": code,
            "code": code,
            "description": owner.mark,
            "interval": "monthly",
            "amount_cents": 1234,
            "amount_currency": "USD",
            "pay_in_advance": True,
        },
    )
    try:
        shown = [
            plan
            for plan in gateway.plans(plans)
            if plan.get("slug") == code or plan.get("id") == made["lago_id"]
        ]
    finally:
        cleanup.remove(lago, [cleanup.OwnedResource("plans", code, owner)], write_permit)
    judge(gateway_checks.plans_are_lagos(shown, [made], inside_view))


def test_what_the_gateway_says_it_created_exists_in_lago(through_gateway, judge):
    subscribed = through_gateway.subscribed.value()
    judge(gateway_checks.created_in_lago(subscribed.answer, subscribed.plan, subscribed.held))
