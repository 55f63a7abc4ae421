"""Waivers: known reds that somebody answers for, until a day. An expired or unused one is red itself."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.verdicts import UsageError

ENTRIES = tuple(
    registry.Entry(id=id, phase=0, severity=Severity.ERROR, title=title, vantage=registry.EVERYWHERE)
    for id, title in (
        ("waiver-expired", "A waiver has expired."),
        ("waiver-unused", "A waiver waives nothing any more."),
    )
)
registry.register(*ENTRIES)


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of waivers.toml: a finding's ``id``, its ``role`` ("" for any), why, and the last day it
    holds."""

    id: str
    reason: str
    expires: datetime.date
    role: str = ""

    def fits(self, finding: Finding) -> bool:
        """Whether this is the finding that it names."""
        return self.id == finding.id and self.role in ("", finding.role)

    def __str__(self) -> str:
        return f"{self.id} of {self.role}" if self.role else self.id


class _File(msgspec.Struct, forbid_unknown_fields=True):
    waiver: tuple[Waiver, ...] = ()


class WaiverFile:
    """The waivers of one run, and which of them were used: ``where_used`` maps one to the check that it was
    for."""

    def __init__(self, waivers: tuple[Waiver, ...], today: datetime.date, path: str = ""):
        self.waivers, self.path = waivers, path
        self._today = today
        self.where_used: dict[str, str] = {}

    def waives(self, finding: Finding, check: str) -> Waiver | None:
        """The waiver that holds today for a finding of a check, noted as used; None where there is none."""
        for waiver in self.waivers:
            if waiver.fits(finding):
                self.where_used[str(waiver)] = check
                if waiver.expires >= self._today:
                    return waiver
        return None

    def expired(self) -> Iterator[Finding]:
        """Waivers whose day is over."""
        for waiver in self.waivers:
            if waiver.expires < self._today:
                yield self._finding(
                    "waiver-expired",
                    waiver,
                    f"it held until {waiver.expires}",
                    "what it waived is red again",
                    "mend what it waived, and take it out; or decide anew, with a new day",
                )

    def unused(self, passed: Iterable[str], before: dict[str, str], whole: bool) -> Iterator[Finding]:
        """Waivers that nothing needs any more, as far as the run can tell.

        ``passed`` are the checks that passed, ``before`` where a waiver was used by an earlier run, ``whole`` whether
        every check was asked and judged.
        """
        checks = set(passed)
        rules = {check.partition("[")[2].rstrip("]") for check in checks}
        for waiver in self.waivers:
            if str(waiver) in self.where_used or waiver.expires < self._today:
                continue
            if whole or waiver.id in rules or before.get(str(waiver)) in checks:
                yield self._finding(
                    "waiver-unused",
                    waiver,
                    "nothing is red that it could waive",
                    "the next time it would hide a new failure",
                    "take it out",
                )

    def _finding(self, id: str, waiver: Waiver, problem: str, impact: str, fix: str) -> Finding:
        told = f"the waiver of {waiver} ({waiver.reason}): {problem}"
        return Finding(id=id, place=Place(f"{self.path}#{waiver}"), problem=told, impact=impact, fix=fix)


def load(path: Path, today: datetime.date) -> WaiverFile:
    """The waivers of a file; UsageError with one sentence where it can't be used."""
    try:
        waivers = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File).waiver
    except OSError as error:
        raise UsageError(f"the waivers file {path} can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the waivers file {path} is not TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise UsageError(
            f"the waivers file {path} has an entry that can't be used: {error}; each [[waiver]] needs id, "
            "reason and "
            "expires (a date such as 2027-01-31), and may name a role"
        ) from error
    for waiver in waivers:
        if not waiver.reason.strip():
            raise UsageError(f"the waivers file {path}: the waiver of {waiver} has no reason")
    return WaiverFile(waivers, today, path.name)
