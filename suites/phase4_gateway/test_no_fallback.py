"""Phase 4: what the gateway lists and creates is in Lago, shown by things that only this run knows."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway_plans
from lago_acceptance.scenarios.gateway_plan import gateway_lists_a_new_plan

pytestmark = [pytest.mark.writes, pytest.mark.phase4]


def test_the_gateway_lists_a_plan_that_only_this_run_knows(
    own_gateway, operation, lago, owner, write_permit, swept, inside_view, judge
):
    plans = operation("plans")
    judge(gateway_lists_a_new_plan(own_gateway, plans, lago, owner, write_permit, inside_view))


def test_what_the_gateway_says_it_created_exists_in_lago(through_gateway, judge):
    subscribed = through_gateway.subscribed.value()
    judge(gateway_plans.created_in_lago(subscribed.answer, subscribed.plan, subscribed.held))
