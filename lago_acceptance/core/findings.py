"""How a rule or a check fails: a finding is data, and one function makes it text."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import redact


class Place(msgspec.Struct, frozen=True):
    """Where a finding is: a file with its line (1-based) where there is one, else a container or address."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One failure, in words that say what to do about it.

    ``id`` is an id of the register (core/registry.py), whose severity it has unless it names another. ``problem`` says
    what is so and should not be, ``impact`` what comes of it, ``fix`` what to do. ``role`` is the role of the service
    that it is about, or None.
    """

    id: str
    problem: str
    impact: str
    fix: str
    severity: Severity | None = None
    role: str | None = None
    service: str | None = None
    place: Place | None = None

    def __post_init__(self) -> None:
        if self.severity is None:
            entry = registry.known(self.id)
            severity = entry.severity if entry else Severity.ERROR
            msgspec.structs.force_setattr(self, "severity", severity)
        # Here, and not where findings are printed: Allure writes what a check raises past pytest's reports.
        for field in ("problem", "impact", "fix", "service"):
            if text := getattr(self, field):
                msgspec.structs.force_setattr(self, field, redact(text))

    def __str__(self) -> str:
        where = " ".join(str(part) for part in (self.service or self.role, self.place) if part)
        head = f"[{self.id}]{f' {where}:' if where else ''} {self.problem}"
        return f"{head}\n  impact: {self.impact}\n  fix: {self.fix}"


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """The findings for a reader: what is said of several services in the same words is said once, of all of them."""
    groups: dict[tuple[Finding, bool], list[str]] = {}
    for finding in findings:
        named = finding.service is not None
        alike = msgspec.structs.replace(finding, service=None, role=None) if named else finding
        groups.setdefault((alike, named), []).append(finding.service or "")
    return [
        msgspec.structs.replace(alike, service=", ".join(dict.fromkeys(names)) if named else None)
        for (alike, named), names in groups.items()
    ]


class Red(Exception):
    """A check has failed. Carries at least one finding."""

    def __init__(self, *findings: Finding):
        if not findings:
            raise ValueError("a red check needs a finding")
        super().__init__("\n".join(str(finding) for finding in grouped(findings)))
        self.findings = findings


def errors_among(findings: list[Finding]) -> list[Finding]:
    """Those findings that turn a check red."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]
