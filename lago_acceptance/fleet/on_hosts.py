"""Histories that lie on the hosts themselves: a runner that forgets learns from them which alarm was sent last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lago_acceptance.core.exit_codes import UNREACHABLE, USAGE
from lago_acceptance.core.report_files import NotWritten
from lago_acceptance.fleet import remembered, run
from lago_acceptance.fleet.remembered import Remembered
from lago_acceptance.fleet.target import Target
from lago_acceptance.hosts.address import parse
from lago_acceptance.reports.summary import Summary

if TYPE_CHECKING:
    from lago_acceptance.history.on_host import Copy
    from lago_acceptance.history.store import LastAlarm


@contextmanager
def reached(targets: Sequence[Target], summaries: Sequence[Summary], how: run.Look) -> Iterator[OnHosts]:
    """The histories on the hosts that this night has reached; of none where they don't lie there."""
    seen = [
        (target, summary)
        for target, summary in zip(targets, summaries, strict=True)
        if how.history_on_host and summary.exit_code not in (USAGE, UNREACHABLE)
    ]
    there = OnHosts(seen, how)
    try:
        yield there
    finally:
        there.close()


class OnHosts:
    """Connections to hosts, side by side. What fails is a sentence, and that host's history counts as empty."""

    def __init__(self, seen: Sequence[tuple[Target, Summary]], how: run.Look):
        self._seen, self._how = seen, how
        self._copies: dict[str, Copy] = {}

    def known(self) -> Remembered:
        """What they know of their hosts."""
        found = Remembered()
        for each in self._side_by_side([partial(self._fetched, *each) for each in self._seen]):
            found = remembered.newest(found, each)
        return found

    def alarmed(self, sent: Mapping[str, LastAlarm]) -> list[str]:
        """Remember alarms that were sent, by the host's key. What kept it from that."""
        asked = [
            partial(self._kept, copy, key, sent[key]) for key, copy in self._copies.items() if key in sent
        ]
        return [problem for each in self._side_by_side(asked) for problem in each.problems]

    def close(self) -> None:
        """End the connections."""
        for copy in self._copies.values():
            copy.close()

    def _side_by_side(self, asked: Sequence[Callable[[], Remembered]]) -> list[Remembered]:
        if not asked:
            return []
        with ThreadPoolExecutor(run.at_once()) as pool:
            return list(pool.map(_noted, asked))

    def _fetched(self, target: Target, summary: Summary) -> Remembered:
        from lago_acceptance.history.on_host import Copy

        copy = Copy(parse(target.address), run.ssh_config(target, self._how), self._how.history_on_host)
        self._copies[summary.key] = copy
        copy.fetch()
        return remembered.of([summary], copy.file)

    def _kept(self, copy: Copy, key: str, alarm: LastAlarm) -> Remembered:
        from lago_acceptance.history.on_host import ATTEMPTS

        for _ in range(ATTEMPTS):
            copy.fetch()
            if problems := remembered.alarmed({key: alarm}, copy.file):
                return Remembered(problems=tuple(problems))
            if copy.put_back():
                return Remembered()
        return Remembered(
            problems=(
                f"the history {self._how.history_on_host} of {key} lacks the alarm: other runs changed it at the same time",
            )
        )


def _noted(ask: Callable[[], Remembered]) -> Remembered:
    try:
        return ask()
    except NotWritten as error:
        return Remembered(problems=(str(error),))
