"""Phase 6: seeding again changes nothing, and every plan can be subscribed to."""

from __future__ import annotations

import pytest

from lago_acceptance.scenarios import subscribing

pytestmark = [pytest.mark.writes, pytest.mark.phase6]


def test_seeding_twice_changes_nothing(own_lago, to_seed, own_seeded, write_permit, judge):
    own_seeded.require("a second seeding")
    judge(subscribing.seeding_again_changes_nothing(own_lago, to_seed, write_permit))


def test_every_plan_can_be_subscribed_to(own_lago, to_seed, own_seeded, owner, swept, write_permit, judge):
    own_seeded.require("subscribing to its plans")
    judge(subscribing.each_plan_can_be_subscribed_to(own_lago, to_seed, owner, write_permit))
