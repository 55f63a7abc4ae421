"""The result of a run as data, and as summary.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.core import report_files
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.printable import printable
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import redact

OUTCOMES = ("passed", "failed", "waived", "blocked", "unknown", "skipped", "crashed")


class Check(msgspec.Struct, frozen=True):
    """One check as it ended. ``started`` is Unix time, ``seconds`` its own time; ``reason`` says why it was not
    judged, "" where it was.
    """

    name: str
    phase: int
    outcome: str
    started: float
    seconds: float
    reason: str = ""
    findings: tuple[Finding, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. ``version`` is the suite's own, ``timings`` are seconds of prepare, up, observe and down.

    ``stand_ins`` are the services that ran on images built here, where upstream's could not be pulled.
    """

    run: str
    version: str
    target: str
    verdict: str
    exit_code: int
    seconds: float
    timings: dict[str, float]
    stand_ins: tuple[str, ...]
    images: dict[str, str]
    notes: tuple[str, ...]
    checks: tuple[Check, ...]

    def counts(self, phase: int) -> dict[str, int]:
        """How many checks of a phase had each outcome, and how many warnings there are."""
        mine = [check for check in self.checks if check.phase == phase]
        counted = {outcome: sum(check.outcome == outcome for check in mine) for outcome in OUTCOMES}
        counted["warnings"] = sum(
            finding.severity is Severity.WARNING for check in mine for finding in check.findings
        )
        return counted

    @property
    def phases(self) -> tuple[int, ...]:
        """The phases that had checks in this run."""
        return tuple(sorted({check.phase for check in self.checks}))

    def findings(self, severity: Severity) -> list[Finding]:
        """All findings of a severity, each once, in the order of the checks."""
        found = (
            finding for check in self.checks for finding in check.findings if finding.severity is severity
        )
        return list(dict.fromkeys(found))

    def write(self, path: Path) -> None:
        """Write it as JSON, without secrets. NotWritten where that fails."""
        content = _safe(msgspec.to_builtins(self))
        report_files.write(path, msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def _safe(content: Any) -> Any:
    """Data with each of its texts redacted and printable. As one text it might be JSON no longer."""
    if isinstance(content, str):
        return printable(redact(content))
    if isinstance(content, dict):
        return {_safe(key): _safe(value) for key, value in content.items()}
    return [_safe(each) for each in content] if isinstance(content, list | tuple) else content


def verdict(exit_code: int, stand_ins: tuple[str, ...]) -> str:
    """The verdict in words."""
    words = {
        0: "accepted",
        1: "not accepted",
        2: "interrupted, so there is no verdict",
        3: "internal error of the suite, so there is no verdict",
        4: "usage error, so there is no verdict",
        5: "nothing was checked",
        6: "the target could not be reached or brought up, so there is no verdict on it",
    }.get(exit_code, f"ended with code {exit_code}")
    if exit_code == 0 and stand_ins:
        words += f", on stand-ins for: {', '.join(stand_ins)}"
    return words
