"""The order that every format reports findings in."""

from __future__ import annotations

from collections.abc import Iterable

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity


def phase_of(finding: Finding) -> int:
    """The phase of a finding."""
    entry = registry.known(finding.id)
    return entry.phase if entry else 0


def needs_base(finding: Finding) -> bool:
    """Whether the finding is about a change between two versions."""
    entry = registry.known(finding.id)
    return entry is not None and entry.needs_base


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by phase, errors first, then by place; those about a change last."""

    def key(finding: Finding) -> tuple[bool, int, bool, str, int, str]:
        place = finding.place
        return (
            needs_base(finding),
            phase_of(finding),
            finding.severity is not Severity.ERROR,
            place.path if place else "",
            (place.line or 0) if place else 0,
            finding.id,
        )

    return sorted(findings, key=key)
