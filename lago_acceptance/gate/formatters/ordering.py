"""The order that every format reports findings in, each defect once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Told, told_once
from lago_acceptance.core.registry import Severity


def phase_of(finding: Finding) -> int:
    """The phase of a finding."""
    entry = registry.known(finding.id)
    return entry.phase if entry else 0


def needs_base(finding: Finding) -> bool:
    """Whether the finding is about a change between two versions."""
    entry = registry.known(finding.id)
    return entry is not None and entry.needs_base


def ordered(findings: Iterable[Finding], projects: Mapping[str, str] | None = None) -> list[Told]:
    """Each defect once: errors first, then by phase and place; those about a change follow those of the file.

    ``projects`` names the project of a file that is laid over another one, by the paths of both.
    """

    def key(told: Told) -> tuple[bool, bool, int, str, int, str]:
        finding, place = told.finding, told.place
        return (
            finding.severity is not Severity.ERROR,
            needs_base(finding),
            phase_of(finding),
            place.path if place else "",
            (place.line or 0) if place else 0,
            finding.id,
        )

    known = projects or {}
    return sorted(told_once(findings, lambda path: known.get(path, path)), key=key)
