"""Phase 5: strangers can't create an organization in this Lago."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import login

pytestmark = [pytest.mark.writes, pytest.mark.phase5]


def test_sign_up_is_refused_at_the_api(graphql, newcomer, write_permit, judge):
    judge(login.sign_up_is_refused(newcomer.email, graphql.sign_up(*newcomer)))
