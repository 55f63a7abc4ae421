"""Phase 5: a person can log in and see the plans, in a real browser."""

from __future__ import annotations

import secrets

import pytest

from lago_acceptance.checks import web_ui
from lago_acceptance.core.secrets import Secret

pytestmark = [pytest.mark.browser, pytest.mark.phase5]


def test_the_login_page_is_there_and_offers_no_sign_up(page):
    with page() as (shown, faults):
        web_ui.open_login(shown, faults)
        web_ui.must_not_offer_sign_up(shown, faults)
        web_ui.must_be_quiet(faults)


def test_a_wrong_password_is_refused(page, way_in, person):
    with page() as (shown, faults):
        web_ui.open_login(shown, faults)
        web_ui.submit(shown, person[0], Secret(secrets.token_hex(12)))
        web_ui.must_refuse(shown, faults)


def test_the_administrator_logs_in_and_sees_the_plans(page, way_in, person, seeded_names):
    with page() as (shown, faults):
        web_ui.open_login(shown, faults)
        web_ui.submit(shown, *person)
        web_ui.must_enter(shown, faults)
        web_ui.must_list(shown, seeded_names, faults)
        web_ui.must_be_quiet(faults)
