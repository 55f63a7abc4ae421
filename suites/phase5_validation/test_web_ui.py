"""Phase 5: a person can log in and see the plans, in a real browser."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import web_ui

pytestmark = [pytest.mark.browser, pytest.mark.phase5]


def test_the_login_page_is_there_and_offers_no_sign_up(page):
    with page() as (shown, faults):
        web_ui.login_page_offers_no_sign_up(shown, faults)


def test_a_wrong_password_is_refused(page, can_log_in, person):
    with page() as (shown, faults):
        web_ui.wrong_password_is_refused(shown, faults, person[0])


def test_the_administrator_logs_in_and_sees_the_plans(page, can_log_in, person, seeded_names):
    with page() as (shown, faults):
        web_ui.administrator_sees_the_plans(shown, faults, person, seeded_names)
