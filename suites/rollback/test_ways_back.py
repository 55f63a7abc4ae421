"""Rollback: what recreating, going back and taking down keep. Takes minutes."""

from __future__ import annotations

import pytest

from lago_acceptance.deploy import return_checks

pytestmark = [pytest.mark.rollback, pytest.mark.writes, pytest.mark.nightly, pytest.mark.phase2]


def test_recreated_containers_find_their_data(practice, judge):
    judge(return_checks.finds_its_data_again(practice))


def test_the_quick_way_back_keeps_data_and_volumes(practice, judge):
    judge(return_checks.goes_back_and_keeps_volumes(practice))


def test_the_full_way_back_removes_volumes_and_leaves_the_dump(practice, judge):
    judge(return_checks.goes_down_and_leaves_a_dump(practice))
