"""Phase 5: Lago's API and login, without the gateway."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import login, plans, public_api
from lago_acceptance.clients.lago import ORGANIZATION

pytestmark = [pytest.mark.smoke, pytest.mark.phase5]


def test_the_api_answers_by_its_public_name(api_reached):
    api_reached.value()


def test_the_organization_answers_to_its_key(inside_view, facts, judge):
    judge(public_api.organization_answers_to_its_key(inside_view, facts))


def test_the_api_lists_its_plans(inside_view, seeded, judge):
    judge(plans.lago_has_plans(inside_view, seeded))


@pytest.mark.parametrize("how", ["without a key", "with a wrong key", "with a key and no scheme"])
def test_the_api_refuses(how, api_connection, deployment, invalid_credentials, judge):
    headers = invalid_credentials.headers(deployment.api_key)[how]
    judge(public_api.refuses(how, api_connection.ask("GET", ORGANIZATION, headers=headers)))


def test_login_refuses_what_it_does_not_know(graphql, invalid_credentials, judge):
    email, password = invalid_credentials.email, invalid_credentials.password
    judge(login.refuses_invalid_credentials(graphql, email, password))


def test_the_administrators_address_is_in_small_letters(admin, judge):
    judge(login.address_is_in_small_letters(admin[0]))
