"""The gate: may this compose change be merged? Findings of rules in compose files, and of changes between two versions."""

from __future__ import annotations

import difflib

from lago_acceptance.composefile.loader import Source
from lago_acceptance.core.findings import Finding, Place, Severity
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.rules import Rule, Violation, rules
from lago_acceptance.rules.changes import CHANGES


def place_in(source: Source, hit: Violation) -> Place:
    """Where a hit stands in a file."""
    at = hit.at or (("services", hit.service.name) if hit.service else ())
    return Place(source.path, source.written.line(at))


def findings_of(rule: Rule, sources: list[Source], settings: Settings) -> list[Finding]:
    """What a rule finds in files. What several services have from one line, by an anchor, is told once."""
    found: dict[tuple, Finding] = {}
    for source in sources:
        try:
            findings = rule.findings(source.model, settings, lambda hit, source=source: place_in(source, hit))
        # Files are anything at all: where a rule breaks on one, that is told, and the others go on.
        except Exception as error:  # noqa: BLE001
            findings = [_not_judged(rule, source, error)]
        for finding in findings:
            found.setdefault((finding.place, finding.wrong), finding)
    return list(found.values())


def _not_judged(rule: Rule, source: Source, error: Exception) -> Finding:
    return Finding(
        id=rule.id,
        severity=Severity.ERROR,
        role=None,
        service=None,
        place=Place(source.path, None),
        wrong=f"this could not be judged: the rule itself broke on the file ({type(error).__name__})",
        leads_to="a defect of this kind would go unseen",
        mend="tell the maintainers of the gate which file it was",
    )


def changes_of(name: str, old: Source, new: Source, settings: Settings) -> list[Finding]:
    """What a change from one version to another breaks."""
    return [
        Finding(
            id=name,
            severity=hit.severity or Severity.ERROR,
            role=hit.service.role if hit.service else None,
            service=hit.service.name if hit.service else None,
            place=place_in(new, hit),
            wrong=hit.wrong,
            leads_to=hit.leads_to,
            mend=hit.mend,
        )
        for hit in CHANGES[name](old.model, new.model, settings)
    ]


def explanation(name: str) -> str:
    """A rule's page; UsageError with the nearest names where there is no such rule."""
    if rule := rules().get(name):
        title, _, rest = rule.explanation.partition("\n")
        body = "\n".join(line.strip() for line in rest.splitlines()).strip()
        kind = "a declared file only" if rule.declared_only else "a declared file, and what runs"
        return redact(
            f"{name}: {title}\n{rule.severity}, phase {rule.phase}, judged in {kind}\n"
            + (f"\n{body}\n" if body else "")
        )
    if change := CHANGES.get(name):
        return f"{name}: {(change.__doc__ or '').strip()}\nerror, judged between two versions (--base)\n"
    near = difflib.get_close_matches(name, [*rules(), *CHANGES], 3, 0.4)
    raise UsageError(
        f"--explain {name}: there is no such rule" + (f"; near are {', '.join(near)}" if near else "")
    )
