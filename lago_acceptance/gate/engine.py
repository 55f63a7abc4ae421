"""The gate: may this compose change be merged? Findings of rules in compose files, and of changes between two versions."""

from __future__ import annotations

import difflib

from lago_acceptance.composefile.loader import Source
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place, Severity
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.rules import Rule, Violation


def place_in(source: Source, violation: Violation) -> Place:
    """Where a violation is in a file."""
    at = violation.at or (("services", violation.service.name) if violation.service else ())
    return Place(source.path, source.written.line(at))


def findings_of(rule: Rule, sources: list[Source], settings: Settings) -> list[Finding]:
    """What a rule finds in files. What several services have from one line, by an anchor, is told once."""
    found: dict[tuple, Finding] = {}
    for source in sources:
        try:
            findings = rule.findings(
                source.model, settings, lambda violation, source=source: place_in(source, violation)
            )
        # Files are anything at all: where a rule breaks on one, that is told, and the others go on.
        except Exception as error:  # noqa: BLE001
            findings = [_not_judged(rule, source, error)]
        for finding in findings:
            found.setdefault((finding.place, finding.problem), finding)
    return list(found.values())


def _not_judged(rule: Rule, source: Source, error: Exception) -> Finding:
    return Finding(
        id=rule.id,
        severity=Severity.ERROR,
        role=None,
        service=None,
        place=Place(source.path, None),
        problem=f"this could not be judged: the rule itself broke on the file ({type(error).__name__})",
        impact="a defect of this kind would go unseen",
        fix="tell the maintainers of the gate which file it was",
    )


def changes_of(rule: Rule, old: Source, new: Source, settings: Settings) -> list[Finding]:
    """What a change from one version to another breaks."""
    return rule.compared(old.model, new.model, settings, lambda violation: place_in(new, violation))


def explanation(id: str) -> str:
    """The page of a finding id; UsageError with the nearest ids where there is no such id."""
    entries = registry.entries()
    entry = entries.get(registry.ALIASES.get(id, id))
    if entry is None:
        near = difflib.get_close_matches(id, entries, 3, 0.4)
        raise UsageError(
            f"--explain {id}: there is no such finding"
            + (f"; did you mean {', '.join(near)}?" if near else "")
        )
    seen = "between two versions (--base)" if entry.needs_base else ", ".join(entry.vantage)
    page = f"\n{entry.page}\n" if entry.page else ""
    return redact(
        f"{entry.id}: {entry.title}\n{entry.severity}, phase {entry.phase}, seen at: {seen}\n{page}"
    )
