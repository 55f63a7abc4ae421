"""gate.json: the findings as a list of flat objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lago_acceptance.core.findings import Told
from lago_acceptance.gate.formatters.ordering import phase_of


def document(findings: Iterable[Told]) -> list[dict[str, Any]]:
    """A list of {rule, severity, phase, service, path, line, message, fix, services, places} in the order of the text.

    ``service``, ``path`` and ``line`` are the first of ``services`` and ``places``.
    """
    return [
        {
            "rule": told.finding.id,
            "severity": str(told.finding.severity),
            "phase": phase_of(told.finding),
            "service": told.services[0] if told.services else None,
            "path": told.place.path if told.place else None,
            "line": told.place.line if told.place else None,
            "message": f"{told.finding.problem}; impact: {told.finding.impact}",
            "fix": told.finding.fix,
            "services": list(told.services),
            "places": [{"path": place.path, "line": place.line} for place in told.places],
        }
        for told in findings
    ]
