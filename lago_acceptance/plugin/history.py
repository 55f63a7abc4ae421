"""The history of the host under test: what earlier runs say about this one, and what it leaves to later ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest

from lago_acceptance.core.exit_codes import UNREACHABLE
from lago_acceptance.core.options import Options
from lago_acceptance.hosts.address import parse
from lago_acceptance.plugin.options import OPTIONS, SETTINGS
from lago_acceptance.plugin.written import noted
from lago_acceptance.reports.summary import PastRun, Summary, history_key, iso

if TYPE_CHECKING:
    from pathlib import Path

    from lago_acceptance.history.store import History, Look

HERE = "this machine"
# The check in which each waiver was used, in this run or an earlier one.
WAIVED: pytest.StashKey[dict[str, str]] = pytest.StashKey()
# The host's clock, where this run has looked at what a later one compares with.
_CLOCK = pytest.StashKey[float]()
_PLACE: pytest.StashKey[_Here] = pytest.StashKey()
_PAST: pytest.StashKey[tuple[PastRun, ...]] = pytest.StashKey()
# Runs that have ended with a report on what they saw.
_REPORTED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


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
        return _waived(config, history)
    return {}


def _waived(config: pytest.Config, history: History) -> dict[str, str]:
    look = history.last_look(_key(config.stash[OPTIONS]))
    return look.waived if look.observed_at is not None else _of_earlier_release(config).waived


def remembered(config: pytest.Config, summary: Summary) -> Summary:
    """Add a run to the history; the run, with what earlier ones say about it. It is the same where none do."""
    from lago_acceptance.history import earlier
    from lago_acceptance.history.changes import described
    from lago_acceptance.history.on_host import ATTEMPTS
    from lago_acceptance.history.store import Unusable

    options = config.stash[OPTIONS]
    if summary.exit_code in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR):
        return summary
    told = summary
    with noted(config):
        if options.history_on_host and summary.exit_code == UNREACHABLE and _PLACE not in config.stash:
            raise Unusable(
                f"the history {options.history_on_host} on {summary.host} is left as it is: the host was not reached"
            )
        for _ in range(ATTEMPTS):
            with _opened(config) as history:
                standing = history.standing(summary)
                told = msgspec.structs.replace(
                    summary,
                    since="" if standing.since is None else iso(standing.since),
                    changed=standing.changed,
                    changes=standing.changes,
                    notes=(*summary.notes, *described(summary, standing)),
                )
                history.add(summary, _look(config, summary, history))
                config.stash[_PAST] = history.runs(summary.key)
            if _place(config).put_back():
                earlier.forget(options.reports, host_of(options), options.project)
                break
        else:
            raise Unusable(
                f"the history {options.history_on_host} on {summary.host} lacks this run: other runs changed it at the "
                "same time"
            )
    place = config.stash.get(_PLACE, None)
    return msgspec.structs.replace(told, notes=(*told.notes, *(place.notes if place else ())))


def past(config: pytest.Config) -> tuple[PastRun, ...]:
    """The last runs of the host under test with this one, oldest first; none where it was not added to a history."""
    return config.stash.get(_PAST, ())


def _look(config: pytest.Config, summary: Summary, history: History) -> Look | None:
    """What the next run compares with; None where this one has not got so far as to report it."""
    from lago_acceptance.history.store import Look

    if _CLOCK not in config.stash or summary.exit_code not in _REPORTED:
        return None
    waived = config.stash[WAIVED] if WAIVED in config.stash else _waived(config, history)
    return Look(config.stash[_CLOCK], waived)


def pytest_unconfigure(config: pytest.Config) -> None:
    if place := config.stash.get(_PLACE, None):
        place.close()


# --- where it is ---


class _Here:
    """A file on this machine."""

    def __init__(self, file: Path):
        self.file = file
        self.notes: list[str] = []

    def put_back(self) -> bool:
        """Keep what was added; False where it must be added once more."""
        return True

    def close(self) -> None:
        """Remove what was made for this run."""


class _There(_Here):
    """A file on the host, and its copy here."""

    def __init__(self, options: Options):
        from lago_acceptance.history.on_host import Copy

        self._copy = Copy(parse(options.hosts[0]), options.ssh_config, options.history_on_host)
        super().__init__(self._copy.file)

    def fetch(self) -> None:
        """Copy it here, where that was not done yet. Unusable where it fails."""
        self._copy.fetch()

    def put_back(self) -> bool:
        return self._copy.put_back()

    def close(self) -> None:
        self._copy.close()


def _place(config: pytest.Config) -> _Here:
    if _PLACE not in config.stash:
        from lago_acceptance.history.store import NAME

        options = config.stash[OPTIONS]
        config.stash[_PLACE] = (
            _There(options) if options.history_on_host else _Here(options.history or options.reports / NAME)
        )
    return config.stash[_PLACE]


@contextmanager
def _opened(config: pytest.Config) -> Iterator[History]:
    """The history, open. Unusable where it can't be used."""
    from lago_acceptance.history.store import History

    place = _place(config)
    if isinstance(place, _There):
        place.fetch()
    options = config.stash[OPTIONS]
    with History(place.file, config.stash[SETTINGS].reports.history) as history:
        try:
            if options.instead_of:
                history.forget(_key(options), options.instead_of)
            yield history
        finally:
            place.notes += [note for note in history.notes if note not in place.notes]


def _key(options: Options) -> str:
    return history_key(host_of(options), options.project or stack_of(options))


def _of_earlier_release(config: pytest.Config) -> Look:
    from lago_acceptance.history import earlier

    options = config.stash[OPTIONS]
    return earlier.look(options.reports, host_of(options), options.project)
