"""Findings: what rules and checks report."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import redact


class Place(msgspec.Struct, frozen=True):
    """Where a finding is: a file, with its line (1-based) if known, or a container or address."""

    path: str
    line: int | None = None

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "path", one_line(self.path))

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One problem, and what to do about it.

    ``id`` is in the register (core/registry.py), which also gives the severity unless it is passed. ``problem`` is what
    is wrong, ``impact`` the consequence, ``fix`` what to do. ``role`` is the role of the service concerned, or None.
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
        # Here and not where findings are printed: there are many places, and Allure bypasses pytest's reports.
        for field in ("problem", "impact", "fix", "service"):
            if text := getattr(self, field):
                msgspec.structs.force_setattr(self, field, one_line(redact(text)))

    def __str__(self) -> str:
        where = " ".join(str(part) for part in (self.service or self.role, self.place) if part)
        head = f"[{self.id}]{f' {where}:' if where else ''} {self.problem}"
        return f"{head}\n  impact: {self.impact}\n  fix: {self.fix}"


def grouped(findings: Iterable[Finding]) -> list[Finding]:
    """The findings for a reader: those that differ only in their service become one."""
    groups: dict[tuple[Finding, bool], list[str]] = {}
    for finding in findings:
        named = finding.service is not None
        alike = msgspec.structs.replace(finding, service=None, role=None) if named else finding
        groups.setdefault((alike, named), []).append(finding.service or "")
    return [
        msgspec.structs.replace(alike, service=", ".join(dict.fromkeys(names)) if named else None)
        for (alike, named), names in groups.items()
    ]


class Told(msgspec.Struct, frozen=True):
    """One defect, reported once: a finding, the services that it is about, and all its places."""

    finding: Finding
    services: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def place(self) -> Place | None:
        """The first place."""
        return self.places[0] if self.places else None

    @property
    def where(self) -> str:
        """All places and services: ``file:12, 40, 55 (api, worker, clock)``."""
        lines: dict[str, list[str]] = {}
        for place in self.places:
            lines.setdefault(place.path, []).extend([str(place.line)] if place.line else [])
        places = [f"{path}:{', '.join(each)}" if each else path for path, each in lines.items()]
        services = f"({', '.join(self.services)})" if self.services else ""
        return " ".join(filter(None, (", ".join(places), services)))


def told_once(findings: Iterable[Finding], project: Callable[[str], str] = str) -> list[Told]:
    """The findings of compose files for a reader: those of one project that differ only in service and line become one.

    ``project`` says which project a file belongs to, by its path.
    """
    groups: dict[tuple[Finding, bool, str], list[Finding]] = {}
    for finding in findings:
        alike = msgspec.structs.replace(finding, service=None, role=None, place=None)
        path = project(finding.place.path) if finding.place else ""
        groups.setdefault((alike, finding.service is not None, path), []).append(finding)
    return [_told(sorted(each, key=_by_line)) for each in groups.values()]


def _told(findings: list[Finding]) -> Told:
    services = dict.fromkeys(each.service for each in findings if each.service)
    places = dict.fromkeys(each.place for each in findings if each.place)
    return Told(findings[0], tuple(services), tuple(places))


def _by_line(finding: Finding) -> tuple[str, int]:
    place = finding.place
    return (place.path, place.line or 0) if place else ("", 0)


class Red(Exception):
    """A check has failed. Has at least one finding."""

    def __init__(self, *findings: Finding):
        if not findings:
            raise ValueError("a red check needs a finding")
        super().__init__("\n".join(str(finding) for finding in grouped(findings)))
        self.findings = findings


def errors_among(findings: list[Finding]) -> list[Finding]:
    """The findings that make a check red."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]
