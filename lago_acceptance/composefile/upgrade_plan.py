"""The way from one release of Lago to another for one deployment: commands to type, changes of files, what users notice.

Made of data and of the deployment's own files; nothing is run.
"""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.composefile.release_edits import ReleaseEdits
from lago_acceptance.composefile.upgrade_commands import Commands, Step
from lago_acceptance.composefile.upgrade_diffs import FileChange, changes
from lago_acceptance.composefile.written_places import WrittenFiles
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.changes import ApiChange, Notice, between
from lago_acceptance.lago.release_table import Release
from lago_acceptance.lago.upgrade_path import legs, overdue
from lago_acceptance.lago.upgrade_times import Measured, measured_within
from lago_acceptance.lago.upgrades import Stop


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """Data that is filled in at a leg. ``required_by`` is the release whose migration fails without it, "" for none.

    ``note`` is what to know about it. ``jobs`` are enqueued by ``commands`` and run by ``workers``, which must run the
    leg's release. It is done when each count of ``proofs`` is 0; ``proof_commands`` ask for them. ``left_commands`` count rows
    that the commands may leave.
    """

    data: str
    required_by: str
    note: str
    commands: tuple[Step, ...]
    jobs: tuple[str, ...]
    workers: tuple[str, ...]
    proofs: tuple[str, ...]
    proof_commands: tuple[Step, ...]
    left_commands: tuple[Step, ...]


class PlannedLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the way: from ``old`` to ``new``, or what is due at a release that runs already, where both are the same.

    ``not_shown`` says why the files' changes are not known, "" where they are. ``notices`` and ``ended`` are what begins and
    ends to be so; ``api`` is what callers meet. ``measured`` is () where nobody has measured it.
    """

    old: str
    new: str
    changes: tuple[FileChange, ...]
    not_shown: str
    filling: tuple[Filling, ...]
    notices: tuple[Notice, ...]
    ended: tuple[Notice, ...]
    api: tuple[ApiChange, ...]
    measured: tuple[Measured, ...]


class UpgradePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The whole way. ``first`` is what to run before it, ``at_once`` walks it on the host, ``last`` looks at the result.

    ``each`` deploys the changed files of one leg with the suite, ``by_hand`` without it; VERSION is in place of its tag.

    ``measured`` are measurements of several of its legs together.
    """

    form: int = 1
    old: str
    new: str
    directory: str
    compose_file: str
    env_file: str
    first: tuple[Step, ...]
    at_once: tuple[Step, ...]
    each: tuple[Step, ...]
    by_hand: tuple[Step, ...]
    legs: tuple[PlannedLeg, ...]
    last: tuple[Step, ...]
    measured: tuple[Measured, ...]


def planned(had: Release, has: Release, deployment: Deployment, files: WrittenFiles) -> UpgradePlan:
    """The way of a deployment. UsageError where there is no such way, or nothing to do."""
    commands = Commands(deployment, files)
    way = legs(had, has)
    if not way:
        raise UsageError(f"{has.tag} is what the upgrade starts from: there is nothing to do")
    planner = _Planner(commands, files, had)
    parts = [planner.leg(had, had, stop) for stop in overdue(had, has)]
    at = had
    for each in way:
        parts.append(planner.leg(at, each.release, each.stop))
        at = each.release
    single = {each for part in parts for each in part.measured}
    return UpgradePlan(
        old=had.tag,
        new=has.tag,
        directory=deployment.directory,
        compose_file=files.compose_file,
        env_file=files.env_file if files.env_file in files.files else "",
        first=commands.first(has.tag),
        at_once=commands.at_once(),
        each=commands.each(),
        by_hand=commands.by_hand(),
        legs=tuple(parts),
        last=commands.last(has.tag),
        measured=tuple(each for each in measured_within(had, has) if each not in single),
    )


class _Planner:
    """Makes the legs one after the other: each one's changes are those beside the leg before."""

    def __init__(self, commands: Commands, files: WrittenFiles, runs: Release):
        self._commands, self._edits, self._runs = commands, ReleaseEdits(files), runs
        self._compose_file = files.files[files.compose_file]
        self._given = self._files = dict(files.files)

    def leg(self, had: Release, has: Release, stop: Stop | None) -> PlannedLeg:
        """One leg, with what is filled in at its end; only the latter where both releases are the same."""
        same = had == has
        why, shown = "", tuple[FileChange, ...]()
        if not same:
            try:
                files = self._given | self._edits.moved(self._runs, has)
                shown = changes(self._files, files, had.tag, has.tag)
                self._files = files
            except UsageError as error:
                why = str(error)
        noticed = between(had, has)
        return PlannedLeg(
            old=had.tag,
            new=has.tag,
            changes=shown,
            not_shown=why,
            filling=(self._filling(stop),) if stop else (),
            notices=tuple(map(self._closed, noticed.notices)),
            ended=noticed.ended,
            api=noticed.api,
            measured=tuple(
                each for each in measured_within(had, has) if (each.old, each.new) == (had.tag, has.tag)
            ),
        )

    def _filling(self, stop: Stop) -> Filling:
        return Filling(
            data=stop.data,
            required_by=stop.required_by,
            note=stop.note,
            commands=tuple(step for task in stop.task for step in self._commands.task(task)),
            jobs=tuple(dict.fromkeys(job for task in stop.task for job in task.jobs)),
            workers=self._commands.workers,
            proofs=tuple(each.statement for each in stop.proofs),
            proof_commands=self._commands.counts(stop.proofs),
            left_commands=self._commands.counts(stop.left),
        )

    def _closed(self, notice: Notice) -> Notice:
        """A notice of a page that is open, without a task where a router of the compose file has that path."""
        path = next(iter(re.findall(r"(?<!\S)/\w+", notice.what)), "") if notice.kind == "opens" else ""
        routed = path and f"PathPrefix(`{path}`)".encode() in self._compose_file
        return msgspec.structs.replace(notice, change="") if routed else notice
