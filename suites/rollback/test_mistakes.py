"""Rollback: a version with a mistake does not stay, and the old one is back with all data and jobs. Takes minutes."""

from __future__ import annotations

import pytest

from lago_acceptance.deploy import return_checks
from lago_acceptance.deploy.mistakes import MISTAKES

pytestmark = [pytest.mark.rollback, pytest.mark.writes, pytest.mark.nightly, pytest.mark.phase2]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_the_old_version_comes_back_after(mistake, practice, judge):
    judge(return_checks.comes_back(practice, mistake))


def test_the_old_version_survives_a_full_disk(practice, judge):
    judge(return_checks.survives_a_full_disk(practice))
