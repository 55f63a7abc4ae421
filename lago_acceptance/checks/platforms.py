"""What can't be judged on the platform that runs the deployment: unknown, with a reason that names it."""

from __future__ import annotations

from collections.abc import Iterable

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts

NO_COMPOSE = "the containers were started without Compose"


def judged(facts: Facts, found: Iterable[Finding]) -> list[Finding]:
    """The findings of a rule but those that the platform of their container makes unknown. Unknown where no other is left."""
    reasons = {each: _why_unseen(facts, each) for each in found}
    kept = [each for each, reason in reasons.items() if not reason]
    if reasons and not kept:
        raise Unknown(next(iter(reasons.values())))
    return kept


def no_file(facts: Facts) -> str:
    """Why there is no compose file to compare with: the reason of the platform, "" where Compose keeps one on the host."""
    said = facts.declaration_error
    if said and "no such file" not in said:
        return ""
    if not facts.platforms and not any(each.project for each in facts.containers):
        return NO_COMPOSE
    return next((each.files for each in facts.platforms if each.files), "")


def _why_unseen(facts: Facts, finding: Finding) -> str:
    reasons = [
        reason
        for each in facts.containers
        if finding.service in (None, each.service.name)
        for platform in each.platforms
        if (reason := platform.not_judged.get(finding.id))
    ]
    return reasons[0] if reasons else ""
