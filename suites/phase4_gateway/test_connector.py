"""Phase 4: the gateway finds Lago, Lago accepts its key, and what it shows is Lago's and not its own."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway as gateway_checks
from lago_acceptance.checks import gateway_inside, gateway_log, gateway_plans
from lago_acceptance.checks.gateway_effect import FAILS, by_effect
from lago_acceptance.clients.gateway import CAPABILITIES, OTHER_HEADER
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.verdicts import Blocked

pytestmark = [pytest.mark.smoke, pytest.mark.phase4]


def test_the_gateway_runs_on_the_network_that_it_shares_with_lago(
    gateway_found, deployment, gateway_down, inside_now, judge
):
    judge(gateway_checks.runs(gateway_found, deployment.network("gateway"), gateway_down, inside_now))


def test_the_gateway_answers_by_its_public_name(gateway_reached):
    gateway_reached.value()


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_gateway_offers(capability, offered, judge):
    judge(gateway_checks.offers(capability, offered.value()))


def test_lagos_name_is_lago_and_nobody_else_inside_the_gateway(
    gateway_view, deployment, effect, by_lagos_trouble, inside_now, judge
):
    found = gateway_inside.finds_lago(gateway_view, deployment.network("gateway"))
    judge(by_lagos_trouble(by_effect(found, effect.lagos, inside_now.log), "whether the gateway finds Lago"))


def test_lago_accepts_the_gateways_key(gateway_view, effect, by_lagos_trouble, inside_now, judge):
    found = gateway_inside.key_is_accepted(gateway_view)
    judge(
        by_lagos_trouble(
            by_effect(found, effect.lagos, inside_now.log), "whether Lago accepts the gateway's key"
        )
    )


def test_lago_refuses_a_key_that_nobody_has(gateway_view, effect, by_lagos_trouble, judge):
    found = gateway_inside.invalid_key_is_refused(gateway_view)
    judge(by_lagos_trouble(by_effect(found, effect.lagos), "whether Lago refuses invalid keys there"))


def test_the_gateways_plans_are_lagos(
    by_effect_alone, shown_plans, lagos_plans, effect, lagos_trouble, meanwhile, inside_now, judge
):
    shown = gateway_log.told(shown_plans, inside_now).value()
    if lagos_plans.failure and lagos_trouble:
        raise Blocked(lagos_trouble.id, f"what the gateway lists: {lagos_trouble.words}{meanwhile}")
    held = lagos_plans.value()
    judge(gateway_plans.plans_are_lagos(shown.first, held, inside_now, shown.again, effect.cause))


def test_the_gateway_is_healthy(gateway, inside_view, of_a_known_kind, effect, judge):
    judge(gateway_checks.is_healthy(gateway.health(), inside_view, effect.lagos))


def test_without_a_token_the_gateway_refuses(without_token, inside_now, judge):
    found = gateway_checks.auth_is_on(*without_token.value())
    judge(gateway_log.with_log(each, inside_now) for each in found)


@pytest.mark.parametrize("kind", ["garbage", "forged", "expired"])
def test_the_gateway_refuses_a_token_that_is(
    kind, bad_token, checks_tokens, tenants_route, gateway, inside_now, judge
):
    found = gateway_checks.token_is_refused(kind, gateway.read(tenants_route, bad_token(kind)))
    judge(gateway_log.with_log(each, inside_now) for each in found)


@pytest.mark.parametrize("kind", ["garbage", "forged"])
def test_the_gateway_refuses_in_its_other_header_a_token_that_is(
    kind, bad_token, checks_tokens, tenants_route, gateway, judge
):
    answer = gateway.read_by_header(tenants_route, bad_token(kind))
    judge(gateway_checks.token_is_refused(f"{kind}, in the header {OTHER_HEADER},", answer))


def test_the_gateway_takes_a_good_token(operation, gateway, token_tried, effect, inside_now):
    token = token_tried.value()
    answer = gateway.read(operation("subscriptions"), token)
    if answer.unhandled and effect.cause == FAILS:
        raise Blocked(FAILS, f"a good token: {answer.asked} fails as the plans do")
    gateway_log.told(Attempt.of(answer.taken, "customers can't use the gateway"), inside_now).value()
