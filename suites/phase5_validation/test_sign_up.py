"""Phase 5: nobody makes an organization of their own in this Lago."""

from __future__ import annotations

import secrets

import pytest

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret

pytestmark = [pytest.mark.writes, pytest.mark.phase5]


def test_sign_up_is_refused_at_the_api(graphql, run, write_permit, judge):
    address = f"nobody-{run.id}@example.test"
    codes = graphql.sign_up(address, Secret(f"Aa1!{secrets.token_hex(12)}"), f"lago-acceptance-{run.id}")
    if "signup_disabled" not in codes:
        judge(
            [
                Finding(
                    id="signup-open",
                    role=API,
                    problem="registerUser answered "
                    f"{', '.join(codes) if codes else f'with an account for {address}'}",
                    impact="anybody makes an organization in this Lago",
                    fix='set LAGO_DISABLE_SIGNUP to "true" on the API and on the front; remove the account '
                    "in the database",
                )
            ]
        )
