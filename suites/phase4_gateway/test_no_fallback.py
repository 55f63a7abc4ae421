"""Phase 4: what the gateway lists and creates is in Lago, shown by things that only this run knows."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway_log
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.scenarios.gateway_plan import gateway_lists_a_new_plan

pytestmark = [pytest.mark.writes, pytest.mark.phase4]


def test_the_gateway_lists_a_plan_that_only_this_run_knows(
    by_effect_alone,
    own_gateway,
    operation,
    first_plans,
    lago,
    owner,
    write_permit,
    swept,
    effect,
    inside_now,
    judge,
):
    plans = operation("plans")
    missing = "whether the gateway lists a plan that this run made in Lago"
    # A gateway that lists none, or hangs, is not asked again.
    first_plans.block_if_red(missing)
    if effect.cause:
        raise Blocked(effect.cause, missing)
    judge(gateway_lists_a_new_plan(own_gateway, plans, lago, owner, write_permit, inside_now))


def test_what_the_gateway_says_it_created_exists_in_lago(through_gateway, effect, inside_now, judge):
    subscribed = gateway_log.told(through_gateway.subscribed, inside_now).value()
    found = list(subscribed.judged(inside_now))
    if found and effect.cause:
        raise Blocked(effect.cause, f"the subscription, which is the gateway's own: {found[0].problem}")
    judge(found)
