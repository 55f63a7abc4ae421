"""gate.json: the findings as a list of flat objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lago_acceptance.core.findings import Finding
from lago_acceptance.gate.formatters.ordering import ordered, phase_of


def document(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """A list of {rule, severity, phase, service, path, line, message, fix} in the order of the text."""
    return [
        {
            "rule": finding.id,
            "severity": str(finding.severity),
            "phase": phase_of(finding),
            "service": finding.service,
            "path": finding.place.path if finding.place else None,
            "line": finding.place.line if finding.place else None,
            "message": f"{finding.problem}; impact: {finding.impact}",
            "fix": finding.fix,
        }
        for finding in ordered(findings)
    ]
