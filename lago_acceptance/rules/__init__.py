"""Rules: pure functions of a model. The name is the id, the docstring's first line the title, the rest the page.

A rule yields Violations, and ``Rule.findings`` turns them into Findings. The same rules judge a compose file
(gate), a stack and a live host. Rules with ``needs_base`` compare two versions of a file.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.registry import EVERYWHERE, Severity, Vantage
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model, Service


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a rule is violated. ``at`` is its YAML path in the compose file, as far as it is known.

    ``severity`` overrides the rule's own severity for this place.
    """

    problem: str
    impact: str
    fix: str
    service: Service | None = None
    at: tuple[str | int, ...] = ()
    severity: Severity | None = None


Check = Callable[..., Iterable[Violation]]
FindPlace = Callable[[Violation], Place | None]


class Rule(msgspec.Struct, frozen=True):
    """A registered rule. ``declared_only``: running containers don't show what it judges.

    ``follows`` are the rules whose defect has this one as its consequence: where one of them reports a service, this
    rule says nothing of that service. ``follows_at``: the same, but only at the line that the other rule reports, and no
    error for a warning. ``follows_variable``: the same, but only where both name the same variable.
    ``follows_elsewhere``: so is what another service lacks as well, where the other rule names all of its variables.
    ``explains_lines``: where this rule reports a line, no other rule's warning does (see ``without_consequences``).
    """

    entry: registry.Entry
    check: Check
    declared_only: bool = False
    follows: tuple[str, ...] = ()
    follows_at: tuple[str, ...] = ()
    follows_variable: tuple[str, ...] = ()
    follows_elsewhere: tuple[str, ...] = ()
    explains_lines: bool = False

    @property
    def id(self) -> str:
        return self.entry.id

    def findings(self, model: Model, settings: Settings, place: FindPlace) -> list[Finding]:
        """The findings of this rule in a model; ``place`` finds a violation's file and line."""
        if model.observed and self.declared_only:
            return []
        return self._as_findings(self.check(model, settings), place)

    def compared(self, old: Model, new: Model, settings: Settings, place: FindPlace) -> list[Finding]:
        """The findings of a rule with ``needs_base`` for a change from one version to the next."""
        return self._as_findings(self.check(old, new, settings), place)

    def _as_findings(self, violations: Iterable[Violation], place: FindPlace) -> list[Finding]:
        return [
            Finding(
                id=self.id,
                severity=violation.severity,
                role=violation.service.role if violation.service else None,
                service=violation.service.name if violation.service else None,
                place=place(violation),
                problem=violation.problem,
                impact=violation.impact,
                fix=violation.fix,
            )
            for violation in violations
        ]


_registered: dict[str, Rule] = {}


def rule(
    *,
    phase: int,
    severity: Severity = Severity.ERROR,
    declared_only: bool = False,
    needs_base: bool = False,
    follows: tuple[str, ...] = (),
    follows_at: tuple[str, ...] = (),
    follows_variable: tuple[str, ...] = (),
    follows_elsewhere: tuple[str, ...] = (),
    explains_lines: bool = False,
) -> Callable[[Check], Check]:
    """Register a function as a rule: its name with hyphens is the id."""

    def registered(check: Check) -> Check:
        title, _, page = inspect.cleandoc(check.__doc__ or "").partition("\n")
        entry = registry.Entry(
            id=check.__name__.replace("_", "-"),
            phase=phase,
            severity=severity,
            title=title,
            page=page.strip(),
            vantage=(Vantage.GATE,) if declared_only or needs_base else EVERYWHERE,
            needs_base=needs_base,
        )
        registry.register(entry)
        _registered[entry.id] = Rule(
            entry,
            check,
            declared_only,
            follows,
            follows_at,
            follows_variable,
            follows_elsewhere,
            explains_lines,
        )
        return check

    return registered


class Evaluated(msgspec.Struct, frozen=True):
    """What all rules of one model found, by rule, and why some of them could not judge it: the model breaks their code."""

    found: dict[str, list[Finding]]
    broken: dict[str, Exception]


def evaluated(model: Model, settings: Settings, place: FindPlace) -> Evaluated:
    """What all rules find in a model, without what only follows from another finding.

    Anything can be in a file or on a host: where a rule breaks on one, the others go on.
    """
    found: dict[str, list[Finding]] = {}
    broken: dict[str, Exception] = {}
    for id, rule in rules().items():
        try:
            found[id] = list(dict.fromkeys(rule.findings(model, settings, place)))
        except Exception as error:  # noqa: BLE001
            found[id], broken[id] = [], error
    return Evaluated(without_consequences(found), broken)


def violations(id: str, model: Model, settings: Settings) -> Iterable[Violation]:
    """What one rule finds in a model, for another rule that must not repeat it."""
    return _all()[id].check(model, settings)


def without_consequences(found: Mapping[str, Sequence[Finding]]) -> dict[str, list[Finding]]:
    """What all rules found in one model, by rule, without what only follows from another finding.

    A finding about no service in particular covers, and is covered by, those of every service.
    """
    kept = {id: [each for each in findings if not _follows(each, found)] for id, findings in found.items()}
    return {
        id: [each for each in findings if not _lacked_elsewhere(each, kept)] for id, findings in kept.items()
    }


def _lacked_elsewhere(finding: Finding, found: Mapping[str, Sequence[Finding]]) -> bool:
    rule = _all().get(finding.id)
    causes = _of(rule.follows_elsewhere, found) if rule else ()
    return any(_variables(finding) <= _variables(cause) for cause in causes)


def _follows(finding: Finding, found: Mapping[str, Sequence[Finding]]) -> bool:
    rule = _all().get(finding.id)
    if rule is None:
        return False
    return (
        any(_same_service(finding, cause) for cause in _of(rule.follows, found))
        or any(_same_line(finding, cause) for cause in _of(rule.follows_at, found))
        or any(
            _same_service(finding, cause) and _variables(finding) & _variables(cause)
            for cause in _of(rule.follows_variable, found)
        )
        or any(
            _same_line(finding, cause)
            for id in found
            if id != rule.id and _all()[id].explains_lines
            for cause in found[id]
        )
    )


def _of(ids: Iterable[str], found: Mapping[str, Sequence[Finding]]) -> Iterator[Finding]:
    return (cause for id in ids for cause in found.get(id, ()))


def _same_service(finding: Finding, cause: Finding) -> bool:
    return finding.service is None or cause.service in (None, finding.service)


def _same_line(finding: Finding, cause: Finding) -> bool:
    """Whether a cause is reported in the line of a finding, and is no less than it."""
    weaker = cause.severity is Severity.WARNING and finding.severity is Severity.ERROR
    place = finding.place
    return place is not None and place.line is not None and place == cause.place and not weaker


def _variables(finding: Finding) -> frozenset[str]:
    """The variables that a finding names in what is wrong, each without LAGO_: Lago reads some of them with and without it."""
    return frozenset(name.removeprefix("LAGO_") for name in _VARIABLE.findall(finding.problem))


_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")


@cache
def _all() -> dict[str, Rule]:
    import pkgutil

    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_registered.items(), key=lambda item: (item[1].entry.phase, item[0])))


@cache
def rules() -> dict[str, Rule]:
    """All rules of one model by id, in the order of the phases."""
    return {id: rule for id, rule in _all().items() if not rule.entry.needs_base}


@cache
def change_rules() -> dict[str, Rule]:
    """All rules that compare two versions, by id."""
    return {id: rule for id, rule in _all().items() if rule.entry.needs_base}


def of_phase(phase: int) -> tuple[Rule, ...]:
    """The rules of one phase of the plan (0 is the pre-deployment list)."""
    return tuple(each for each in rules().values() if each.entry.phase == phase)
