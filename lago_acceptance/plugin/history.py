"""The history of the host under test: what earlier runs say about this one, and what it leaves to later ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.hosts.address import parse
from lago_acceptance.plugin.options import OPTIONS, SETTINGS
from lago_acceptance.plugin.written import noted
from lago_acceptance.reports.summary import Summary, history_key, iso

if TYPE_CHECKING:
    from pathlib import Path

    from lago_acceptance.core.waivers import WaiverFile
    from lago_acceptance.history.on_host import OnHost
    from lago_acceptance.history.store import History, Look

HERE = "this machine"
# The host's clock, where this run has looked at what a later one compares with.
_CLOCK = pytest.StashKey[float]()
_PLACE: pytest.StashKey[_Place] = pytest.StashKey()
# Runs that have ended with a report on what they saw.
_REPORTED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
_ATTEMPTS = 3


def host_of(options: Options) -> str:
    """The name of the host under test, as reports have it."""
    return parse(options.hosts[0]).spec.removeprefix("ssh://") if options.hosts else HERE


def stack_of(options: Options) -> str:
    """The name of the compose file that a stack is started from; "" for a live host."""
    return options.compose_files[0].name if options.target == "stack" else ""


def looked(config: pytest.Config, clock: float) -> float | None:
    """When the host was last looked at, by its own clock, which is now at ``clock``; None in the first run.

    After a scheduled look within the last week only such looks count: what the night has reported stays reported until
    the next one, whoever looks meanwhile.
    """
    from lago_acceptance.history.store import WEEK

    config.stash[_CLOCK] = clock
    key = _key(config.stash[OPTIONS])
    with noted(config), _opened(config) as history:
        last = history.last_look(key, scheduled=True, until=clock).observed_at
        if last is None or clock - last > WEEK:
            last = history.last_look(key, until=clock).observed_at
        return last if last is not None else _of_earlier_release(config).observed_at
    return None


def waived_before(config: pytest.Config) -> dict[str, str]:
    """The check in which each waiver was used by earlier runs; empty where this run looks at no live host."""
    if _CLOCK not in config.stash:
        return {}
    with noted(config), _opened(config) as history:
        look = history.last_look(_key(config.stash[OPTIONS]))
        return look.waived if look.observed_at is not None else _of_earlier_release(config).waived
    return {}


def remembered(config: pytest.Config, summary: Summary) -> Summary:
    """Add a run to the history; the run, with what earlier ones say about it."""
    # TODO
    return summary
