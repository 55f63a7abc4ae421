"""Phase 5: the clock makes the worker activate what is due today. Takes up to seven minutes."""

from __future__ import annotations

import pytest

from lago_acceptance.scenarios import clock_activation

pytestmark = [pytest.mark.writes, pytest.mark.nightly, pytest.mark.phase5]


def test_the_clock_activates_a_subscription_dated_today(
    own_lago, owner, write_permit, swept, own_seeded, to_seed, preconditions
):
    own_seeded.require("a plan to subscribe to")
    clock_activation.activation(own_lago, owner, write_permit, to_seed.plans[0].code, preconditions)
