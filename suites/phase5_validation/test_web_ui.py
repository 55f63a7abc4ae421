"""Phase 5: a person can log in and see the plans, in a real browser."""

from __future__ import annotations

import secrets

import pytest

from lago_acceptance import front_pages
from lago_acceptance.secret_values import Secret

pytestmark = [pytest.mark.browser, pytest.mark.phase5]


def test_the_login_page_is_there_and_offers_no_sign_up(page):
    with page() as (shown, faults):
        front_pages.open_login(shown, faults)
        front_pages.must_not_offer_sign_up(shown, faults)
        front_pages.must_be_quiet(faults)


def test_a_wrong_password_is_refused(page, way_in, person):
    with page() as (shown, faults):
        front_pages.open_login(shown, faults)
        front_pages.submit(shown, person[0], Secret(secrets.token_hex(12)))
        front_pages.must_refuse(shown, faults)


def test_the_administrator_logs_in_and_sees_the_plans(page, way_in, person, seeded_names):
    with page() as (shown, faults):
        front_pages.open_login(shown, faults)
        front_pages.submit(shown, *person)
        front_pages.must_enter(shown, faults)
        front_pages.must_list(shown, seeded_names, faults)
        front_pages.must_be_quiet(faults)
