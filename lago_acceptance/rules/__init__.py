"""Rules: pure functions of a model, each with an id, a phase, a severity and a page of explanation.

A rule yields Hits; ``judge`` makes Findings of them. The same rules judge a compose file (gate), a stack and
a live host. A rule's docstring is its explanation: its first line is its title.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import cache

import msgspec

from lago_acceptance.core.findings import Finding, Place, Severity
from lago_acceptance.core.settings import Settings
from lago_acceptance.model.deployment import Model, Service


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a rule is broken. ``at`` is the way to it in the compose file, as far as it is known.

    ``severity`` where this place is worse, or less bad, than the rule's own.
    """

    wrong: str
    leads_to: str
    mend: str
    service: Service | None = None
    at: tuple[str | int, ...] = ()
    severity: Severity | None = None


Check = Callable[[Model, Settings], Iterable[Violation]]


class Rule(msgspec.Struct, frozen=True):
    """A rule as it is registered. ``declared_only``: nothing of it can be seen in running containers."""

    id: str
    phase: int
    severity: Severity
    check: Check
    declared_only: bool = False

    @property
    def explanation(self) -> str:
        """What the rule asks for and why, for ``--explain``."""
        return self.check.__doc__ or ""

    def findings(
        self, model: Model, settings: Settings, place: Callable[[Violation], Place | None]
    ) -> list[Finding]:
        """The findings of this rule in a model; ``place`` tells where a hit stands."""
        if model.observed and self.declared_only:
            return []
        return [
            Finding(
                id=self.id,
                severity=hit.severity or self.severity,
                role=hit.service.role if hit.service else None,
                service=hit.service.name if hit.service else None,
                place=place(hit),
                wrong=hit.wrong,
                leads_to=hit.leads_to,
                mend=hit.mend,
            )
            for hit in self.check(model, settings)
        ]


_registered: dict[str, Rule] = {}


def rule(id: str, *, phase: int, severity: Severity = Severity.ERROR, declared_only: bool = False):
    """Register a function as a rule."""

    def register(check: Check) -> Check:
        if id in _registered:
            raise ValueError(f"two rules are called {id}")
        _registered[id] = Rule(id, phase, severity, check, declared_only)
        return check

    return register


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in the order of the phases."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_registered.items(), key=lambda item: (item[1].phase, item[0])))


def of_phase(phase: int) -> tuple[Rule, ...]:
    """The rules of one phase of the plan (0 is the pre-deployment list)."""
    return tuple(each for each in rules().values() if each.phase == phase)
