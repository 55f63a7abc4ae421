"""The result of a run as data, and as summary.json, whose form docs/reports.md describes."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from lago_acceptance.core import report_files, user_files
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.measurements import Measurement
from lago_acceptance.core.printable import printable
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import redact

Form = TypeVar("Form")
# Raised when a field is removed or means something else; a field that is added leaves it as it is.
FORMAT = 1
# Of a file with many hosts: a run of one has about 100 kB.
LARGEST = 256 * 2**20
OUTCOMES = ("passed", "failed", "waived", "blocked", "unknown", "skipped", "crashed")


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of a check's time: ``started`` is Unix time. ``steps`` are parts of it: prepare, up, observe, down."""

    name: str
    started: float
    seconds: float
    steps: tuple[Step, ...] = ()


class Check(msgspec.Struct, frozen=True):
    """One check as it ended. ``started`` is Unix time, ``seconds`` its own time; ``reason`` says why it was not
    judged, "" where it was, and ``why`` the same without the check's own subject, by which reasons are grouped;
    ``blocked_by`` is the id of the finding that kept it from being judged, ``fix`` what makes it judgeable, where that is
    known. ``about`` is the sentence of the plan that it belongs to, and ``steps`` are its setup, call and teardown, as far
    as they took a millisecond.
    """

    name: str
    phase: int
    outcome: str
    started: float
    seconds: float
    reason: str = ""
    findings: tuple[Finding, ...] = ()
    blocked_by: str = ""
    why: str = ""
    fix: str = ""
    about: str = ""
    steps: tuple[Step, ...] = ()


class Deployment(msgspec.Struct, frozen=True):
    """What was under test: ``lago`` is the tag of the API's image, ``compose_digest`` the SHA-256 of the compose file.
    What is not known is "".
    """

    directory: str = ""
    compose_file: str = ""
    compose_digest: str = ""
    lago: str = ""


class Cause(msgspec.Struct, frozen=True):
    """An error, with the names of the checks that reported it, and of those that could not be judged because of it."""

    finding: Finding
    checks: tuple[str, ...]
    blocked: tuple[str, ...] = ()


class NotJudged(msgspec.Struct, frozen=True):
    """Why some checks gave no verdict. ``outcome`` is blocked, unknown, skipped or crashed."""

    outcome: str
    reason: str
    checks: tuple[str, ...]
    blocked_by: str = ""
    fix: str = ""


class PastRun(msgspec.Struct, frozen=True):
    """What the history keeps of a run. ``started`` is Unix time by this machine's clock; ``phases`` has a word for each
    phase (passed, failed, blocked, unknown), ``measurements`` the worst value of each measure, ``cause`` the id of the
    first error, ``errors`` the ids of all.
    """

    run: str
    started: float
    seconds: float
    billing: str
    exit_code: int
    cause: str = ""
    phases: dict[int, str] = {}
    measurements: dict[str, float] = {}
    scheduled: bool = False
    errors: tuple[str, ...] = ()


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. ``version`` is the suite's own, ``timings`` are seconds of prepare, up, observe and down.

    ``host`` is the host's name as ssh knows it, or "this machine"; ``project`` the Compose project that was asked for.
    ``started``, ``ended`` and ``since`` are ISO 8601 in UTC; ``since`` is when the present state of billing was first
    seen, "" where no history tells; ``changed`` whether it was another one in the run before. ``changes`` counts how often
    it changed in the last ten runs. ``billing`` is one of BILLING (reports/verdict.py). ``stand_ins`` are the services that
    ran on images built here, where upstream's could not be pulled.
    """

    format: int = FORMAT
    run: str
    version: str
    target: str
    host: str = ""
    project: str = ""
    deployment: Deployment = Deployment()
    scheduled: bool = False
    started: str = ""
    ended: str = ""
    seconds: float
    billing: str = "not known"
    since: str = ""
    changed: bool = False
    changes: int = 0
    verdict: str
    exit_code: int
    causes: tuple[Cause, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    timings: dict[str, float]
    stand_ins: tuple[str, ...]
    images: dict[str, str]
    notes: tuple[str, ...]
    checks: tuple[Check, ...]

    @property
    def key(self) -> str:
        """What its history is kept under: the host, and what was under test there where that was named."""
        return history_key(self.host, self.named)

    @property
    def named(self) -> str:
        """What was under test on the host: the Compose project that was asked for, or a stack's compose file."""
        return self.project or (self.deployment.compose_file if self.target == "stack" else "")

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

    def harmless(self) -> Summary:
        """The same with nothing in its texts that a terminal or a CI server acts on, or that is no character at all."""
        return msgspec.convert(_with_texts(msgspec.to_builtins(self), cache(printable)), Summary)

    def write(self, path: Path) -> None:
        """Write it as JSON, without secrets. NotWritten where that fails."""
        content = safe(msgspec.to_builtins(self))
        report_files.write(path, msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def history_key(host: str, named: str) -> str:
    """What the history of a host is kept under; ``named`` is the Compose project, or the compose file of a stack."""
    return f"{host} {named}".strip()


class _Format(msgspec.Struct, frozen=True):
    """What every format has."""

    format: int = FORMAT


class NotReadable(Exception):
    """A summary.json can't be used. The text is one sentence."""


def read(path: Path) -> Summary:
    """The summary of a file. NotReadable where it is missing, damaged, or of another format."""
    return decoded(path, content_of(path), Summary)


def content_of(path: Path) -> bytes:
    """The bytes of a summary.json; NotReadable where they can't be had, or are too many. A pipe is not waited for."""
    if problem := user_files.unusable(path):
        raise NotReadable(f"{path} {problem}")
    try:
        # One that is still being written may grow.
        too_large = path.stat().st_size > LARGEST
        with path.open("rb") as file:
            content = b"" if too_large else file.read(LARGEST + 1)
    except OSError as error:
        raise NotReadable(f"{path} can't be read: {error.strerror or error}") from error
    if too_large or len(content) > LARGEST:
        raise NotReadable(f"{path} is larger than {LARGEST // 2**20} MiB, and no summary is")
    return content


def decoded(path: Path, content: bytes, kind: type[Form]) -> Form:
    """What a file holds. NotReadable where that is something else, or of another format, whose fields are others."""
    try:
        require_format(path, msgspec.json.decode(content, type=_Format).format)
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotReadable(f"{path} is not the summary of a run: {error}") from error


def require_format(path: Path, found: int) -> None:
    """NotReadable where a file has another format than this version reads."""
    if found != FORMAT:
        raise NotReadable(f"{path} has format {found}, but this version of the suite reads format {FORMAT}")


def slug(name: str) -> str:
    """The name under which a check's screenshot and trace are kept, from the last part of its node id."""
    return re.sub(r"\W+", "-", name.rpartition("::")[2])


def iso(at: float) -> str:
    """Unix time as ISO 8601 in UTC, to the second."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def unix(stamp: str) -> float | None:
    """What ``iso`` wrote as Unix time; None for anything else."""
    try:
        return datetime.datetime.fromisoformat(stamp).timestamp() if stamp else None
    except ValueError:
        return None


def safe(content: Any) -> Any:
    """Data with each of its texts redacted and printable. As one text it might be JSON no longer."""
    return _with_texts(content, cache(lambda text: printable(redact(text))))


def _with_texts(content: Any, changed: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        return changed(content)
    if isinstance(content, dict):
        return {_with_texts(key, changed): _with_texts(value, changed) for key, value in content.items()}
    return [_with_texts(each, changed) for each in content] if isinstance(content, list | tuple) else content
