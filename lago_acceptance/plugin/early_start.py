"""A live host is read while pytest collects: its answer takes longer than anything else in a run.

Reading it once the checks are collected makes a live smoke run longer by a tenth (2.33 s instead of 2.10 s, medians of
eleven on a quiet machine); reading it before pytest is configured gains nothing over this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lago_acceptance.plugin.options import OPTIONS, SETTINGS
from lago_acceptance.plugin.selection import asks_for_upgrade, gate_only, runs_tests

if TYPE_CHECKING:
    from lago_acceptance.targets.live import Live

STARTED: pytest.StashKey[Live] = pytest.StashKey()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start to read the one host of a live run."""
    config = session.config
    given, options = config.option, config.stash[OPTIONS]
    if options.target != "live" or gate_only(config) or not runs_tests(given):
        return
    from lago_acceptance.targets.live import Live

    target = Live(options, config.stash[SETTINGS])
    # Also where the run ends before a check has asked for the deployment.
    config.add_cleanup(target.close)
    config.stash[STARTED] = target
    # With seeding, what gateway and API see of each other is read after it.
    target.with_inside = not (given.seed or given.reseed)
    target.with_upgrade = asks_for_upgrade(given)
    # What is there before a deploy is nothing to judge.
    if given.deploy is None:
        target.prepare()


def started(config: pytest.Config) -> Live | None:
    """The live host that is being read; None on a stack."""
    return config.stash.get(STARTED, None)
