"""Waivers: known failures that are accepted until a date. An expired or unused waiver is a failure itself."""

from __future__ import annotations

import datetime
import os
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import msgspec

from lago_acceptance.core import registry, roles, user_files
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import Severity, Vantage
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import FILE, default_file
from lago_acceptance.core.verdicts import UsageError

ENTRIES = tuple(
    registry.Entry(id=id, phase=0, severity=Severity.ERROR, title=title, vantage=registry.EVERYWHERE)
    for id, title in (
        ("waiver-expired", "A waiver has expired."),
        ("waiver-unused", "A waiver is no longer needed."),
    )
)
registry.register(*ENTRIES)


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of waivers.toml: the finding's ``id``, its ``role`` ("" for any), the reason, and the last day."""

    id: str
    reason: str
    expires: datetime.date
    role: str = ""

    def fits(self, finding: Finding) -> bool:
        """Whether this waiver is for a finding."""
        return self.id == finding.id and self.role in ("", finding.role)

    def __str__(self) -> str:
        return f"{self.id} of {self.role}" if self.role else self.id


class _File(msgspec.Struct, forbid_unknown_fields=True):
    waiver: tuple[Waiver, ...] = ()


class WaiverFile:
    """The waivers of one run. ``where_used`` maps those that were used to their check.

    ``notes`` are changes that the file needs.
    """

    def __init__(
        self,
        waivers: tuple[Waiver, ...] = (),
        today: datetime.date | None = None,
        path: str = "",
        notes: tuple[str, ...] = (),
    ):
        self.waivers, self.path, self.notes = waivers, path, notes
        self._today = today or datetime.datetime.now(datetime.UTC).date()
        self.where_used: dict[str, str] = {}

    def waives(self, finding: Finding, check: str) -> Waiver | None:
        """The waiver that is valid today for a finding of a check, recorded as used; None if there is none."""
        for waiver in self.waivers:
            if waiver.fits(finding):
                self.where_used[str(waiver)] = check
                if waiver.expires >= self._today:
                    return waiver
        return None

    def applied(self, findings: Iterable[Finding], check: str) -> tuple[list[Finding], dict[Finding, Waiver]]:
        """A check's findings without waivers, and those with, each with its waiver. Warnings need no waiver."""
        left: list[Finding] = []
        used: dict[Finding, Waiver] = {}
        for finding in findings:
            waiver = self.waives(finding, check) if finding.severity is Severity.ERROR else None
            if waiver:
                used[finding] = waiver
            else:
                left.append(finding)
        return left, used

    @staticmethod
    def used(finding: Finding, waiver: Waiver) -> str:
        """The line that reports a waived finding."""
        return one_line(redact(f"waived until {waiver.expires}: {finding.id} ({waiver.reason})"))

    def expired(self) -> Iterator[Finding]:
        """Waivers that have expired."""
        for waiver in self.waivers:
            if waiver.expires < self._today:
                yield self._finding(
                    "waiver-expired",
                    waiver,
                    f"it expired after {waiver.expires}",
                    "the failure that it covered counts again",
                    "fix that failure and delete the waiver, or renew it with a new date",
                )

    def unused(
        self,
        passed: Iterable[str],
        before: dict[str, str],
        whole: Container[int],
        vantage: Vantage | None = None,
        compared: bool = False,
    ) -> Iterator[Finding]:
        """Waivers that are no longer needed, as far as this run can see.

        ``passed`` are the checks that passed, ``before`` the checks in which an earlier run used waivers, ``whole`` the
        phases of which every check gave a verdict, ``compared`` whether the files were compared with a base. Waivers
        for findings that can't be seen from ``vantage`` are ignored.
        """
        checks = set(passed)
        rules = {check.partition("[")[2].rstrip("]") for check in checks}
        for waiver in self.waivers:
            entry = registry.find(waiver.id)
            if entry is None or (vantage is not None and vantage not in entry.vantage):
                continue
            if str(waiver) in self.where_used or waiver.expires < self._today:
                continue
            all_judged = entry.phase in whole and (compared or not entry.needs_base)
            if all_judged or waiver.id in rules or before.get(str(waiver)) in checks:
                yield self._finding(
                    "waiver-unused",
                    waiver,
                    "no check reports this finding any more",
                    "it would hide the next failure of this kind",
                    "delete the waiver",
                )

    def _finding(self, id: str, waiver: Waiver, problem: str, impact: str, fix: str) -> Finding:
        about = f"the waiver for {waiver} ({waiver.reason}): {problem}"
        return Finding(id=id, place=Place(f"{self.path}#{waiver}"), problem=about, impact=impact, fix=fix)


def for_run(given: Path | None, settings: Path | None) -> WaiverFile:
    """The waivers of a run: from --waivers, else from waivers.toml beside the settings, else none."""
    beside = (settings or default_file() or Path(FILE)).parent / "waivers.toml"
    file = given or (beside if os.path.lexists(beside) else None)
    return load(file, datetime.datetime.now(datetime.UTC).date()) if file else WaiverFile()


def load(path: Path, today: datetime.date) -> WaiverFile:
    """The waivers of a file; UsageError with one sentence if it can't be used or names an unknown id."""
    try:
        waivers = user_files.toml("the waivers file", path, _File).waiver
    except UsageError as error:
        if "invalid entry" not in str(error):
            raise
        raise UsageError(
            f"{error}; each [[waiver]] needs id, reason and expires (a date such as 2027-01-31), and may name a role"
        ) from error
    checked = [_registered(waiver, path) for waiver in waivers]
    known = tuple(waiver for waiver, _ in checked)
    for problem in _problems(known):
        raise UsageError(f"the waivers file {path}: {problem}")
    return WaiverFile(known, today, path.name, tuple(note for _, note in checked if note))


def _problems(waivers: tuple[Waiver, ...]) -> Iterator[str]:
    """What can't be meant although each entry is complete."""
    for at, waiver in enumerate(waivers):
        if not waiver.reason.strip():
            yield f"the waiver for {waiver} has no reason"
        if waiver.role and waiver.role not in roles.ALL:
            yield f"the waiver for {waiver} names no role of Lago's; {user_files.did_you_mean(waiver.role, roles.ALL)}"
        if str(waiver) in map(str, waivers[:at]):
            yield f"there are two waivers for {waiver}; delete one"


def _registered(waiver: Waiver, path: Path) -> tuple[Waiver, str]:
    """The waiver with its finding's current id, and a note if the file should be changed."""
    if id := registry.ALIASES.get(waiver.id):
        note = f"{path.name}: {waiver.id} is now called {id}; the next release refuses the old id"
        return msgspec.structs.replace(waiver, id=id), note
    if registry.find(waiver.id):
        return waiver, ""
    raise UsageError(
        f"the waivers file {path}: {registry.unknown(waiver.id)}; `lago-acceptance list` shows all ids"
    )
