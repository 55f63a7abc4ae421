"""The gate: may this compose change be merged? Findings of rules in compose files, and of changes between versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from lago_acceptance.composefile.loader import Source
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.registry import PHASES, Severity, Vantage
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.gate.git_base import base_of
from lago_acceptance.rules import Rule, Violation, change_rules, rules


class Judgement(msgspec.Struct, frozen=True):
    """What the gate found: the findings that are left after waivers, and what there is to say beside them.

    ``waived`` are lines about findings that were waived, ``notes`` what could not be judged.
    """

    findings: tuple[Finding, ...]
    waived: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def judge(
    sources: Sequence[Source], pairs: Sequence[tuple[Source, Source]], settings: Settings, waivers: WaiverFile
) -> Judgement:
    """All rules over compose files, and over each pair of an old and a new version."""
    findings: list[Finding] = []
    waived: list[str] = []
    found = {id: findings_of(rule, sources, settings) for id, rule in rules().items()}
    if pairs:
        for id, rule in change_rules().items():
            found[id] = [each for old, new in pairs for each in changes_of(rule, old, new, settings)]
    for id, of_rule in found.items():
        left, used = waivers.applied(of_rule, id)
        findings += left
        waived += [waivers.used(finding, waiver) for finding, waiver in used.items()]
    unused = waivers.unused((), {}, whole=PHASES, vantage=Vantage.GATE, compared=bool(pairs))
    findings += [*waivers.expired(), *unused]
    return Judgement(tuple(findings), tuple(dict.fromkeys(waived)), tuple(waivers.notes))


def place_in(source: Source, violation: Violation) -> Place:
    """Where a violation is in a file."""
    at = violation.at or (("services", violation.service.name) if violation.service else ())
    return Place(source.path, source.written.line(at))


def findings_of(rule: Rule, sources: Iterable[Source], settings: Settings) -> list[Finding]:
    """What a rule finds in files. What several services get from one line, by an anchor, is reported once."""
    found: dict[tuple[Place | None, str], Finding] = {}
    for source in sources:
        try:
            findings = rule.findings(source.model, settings, partial(place_in, source))
        # Anything can be in a file: where a rule breaks on one, that is reported, and the others go on.
        except Exception as error:  # noqa: BLE001
            findings = [_not_judged(rule, source, error)]
        for finding in findings:
            found.setdefault((finding.place, finding.problem), finding)
    return list(found.values())


def changes_of(rule: Rule, old: Source, new: Source, settings: Settings) -> list[Finding]:
    """What a rule that needs a base finds in the change from one version to another."""
    try:
        return rule.compared(old.model, new.model, settings, partial(place_in, new))
    except Exception as error:  # noqa: BLE001
        return [_not_judged(rule, new, error)]


def _not_judged(rule: Rule, source: Source, error: Exception) -> Finding:
    return Finding(
        id=rule.id,
        severity=Severity.ERROR,
        place=Place(source.path),
        problem=f"this could not be judged: the rule itself failed on this file ({type(error).__name__})",
        impact="a defect of this kind would go unnoticed",
        fix="send the file, without its secrets, to the maintainers of the gate",
    )


def compared(
    base: str, sources: Iterable[Source], env_file: Path | None
) -> tuple[list[tuple[Source, Source]], list[str]]:
    """Each file with its version at ``--base``, and a note for each that has none."""
    pairs, notes = [], []
    for new in sources:
        try:
            pairs.append((base_of(base, Path(new.path), env_file), new))
        except Unknown as reason:
            notes.append(f"{new.path}: not compared, because {reason}")
    return pairs, notes
