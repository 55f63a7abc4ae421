"""Lago's Sidekiq workers by release: their configuration files, the queues in these, and what switches them on.

workers.tsv has a line for each worker and each release that changed it, read from the tags' config/sidekiq*. The main
worker has no name. A queue of another worker is filled only where its switch is on.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import msgspec

from lago_acceptance.lago.release_table import Release, releases

# Sidekiq's own `timeout` in all of these files: how long it waits for jobs after TERM.
TIMEOUT = 25.0


class WorkerKind(msgspec.Struct, frozen=True):
    """One kind of worker since a release. ``switch`` is the variable that fills its queues ("" for the main worker)."""

    since: str
    name: str
    config: str
    queues: tuple[str, ...]
    switch: str

    @property
    def script(self) -> str:
        """The script in scripts/ that starts it."""
        return f"start.{self.name}.worker.sh" if self.name else "start.worker.sh"


@cache
def workers_of(release: Release | None) -> dict[str, WorkerKind]:
    """The kinds of workers of a release by name, "" for the main one; of the newest release for None."""
    tags = {each.tag: each for each in releases().values()}
    return {kind.name: kind for kind in _kinds() if release is None or tags[kind.since].age <= release.age}


def all_configs() -> frozenset[str]:
    """The configuration files of the workers of all releases."""
    return frozenset(kind.config for kind in _kinds())


@cache
def _kinds() -> tuple[WorkerKind, ...]:
    with Path(__file__).with_name("workers.tsv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            WorkerKind(
                row["since"], row["name"], row["config"], tuple(row["queues"].split(",")), row["switch"]
            )
            for row in csv.DictReader(stream, delimiter="\t")
        )
