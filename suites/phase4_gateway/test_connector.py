"""Phase 4: the gateway finds Lago, Lago accepts its key, and what it shows is Lago's and not its own."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import gateway as gateway_checks
from lago_acceptance.checks import gateway_inside, gateway_plans, plans
from lago_acceptance.clients.gateway import CAPABILITIES

pytestmark = [pytest.mark.smoke, pytest.mark.phase4]


def test_the_gateway_runs_on_the_network_that_it_shares_with_lago(
    gateway_found, deployment, gateway_failed, judge
):
    judge(gateway_checks.runs(gateway_found, deployment.network("gateway"), gateway_failed))


def test_the_gateway_answers_by_its_public_name(gateway_reached):
    gateway_reached.value()


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_the_gateway_offers(capability, offered, judge):
    judge(gateway_checks.offers(capability, offered.value()))


def test_lagos_name_is_lago_and_nobody_else_inside_the_gateway(gateway_view, deployment, judge):
    judge(gateway_inside.finds_lago(gateway_view, deployment.network("gateway")))


def test_lago_accepts_the_gateways_key(gateway_view, judge):
    judge(gateway_inside.key_is_accepted(gateway_view))


def test_lago_refuses_a_key_that_nobody_has(gateway_view, judge):
    judge(gateway_inside.invalid_key_is_refused(gateway_view))


def test_the_gateways_plans_are_lagos(operation, gateway, inside_view, seeded, judge):
    offered, held = operation("plans"), plans.some_plans(inside_view, seeded)
    judge(gateway_plans.plans_are_lagos(gateway.plans(offered), held, inside_view))


def test_the_gateway_is_healthy(gateway, inside_view, judge):
    judge(gateway_checks.is_healthy(gateway.health(), inside_view))


def test_without_a_token_the_gateway_refuses(operation, gateway, judge):
    judge(gateway_checks.auth_is_on(gateway.read(operation("subscriptions"))))


@pytest.mark.parametrize("kind", ["garbage", "forged", "expired"])
def test_the_gateway_refuses_a_token_that_is(kind, bad_token, operation, gateway, judge):
    token = bad_token(kind)
    judge(gateway_checks.token_is_refused(kind, gateway.read(operation("subscriptions"), token)))


def test_the_gateway_takes_a_good_token(operation, gateway, tenants_token):
    gateway.read(operation("subscriptions"), tenants_token).taken("customers can't use the gateway")
