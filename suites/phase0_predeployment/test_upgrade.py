"""Phase 0: what a stack says about an upgrade, and what it doesn't."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import upgrade_tried

pytestmark = [pytest.mark.phase0, pytest.mark.smoke]


def test_the_upgrade_of_the_database_is_tried(stack_runs, stack_replaces, judge):
    judge(upgrade_tried.is_tried(stack_runs, stack_replaces))
