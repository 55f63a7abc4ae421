"""Checks of the edge: DNS, certificates, HTTP, open ports and Traefik's routers, as seen from outside.

A check judges the public URL of one role. It gives findings, raises Blocked where another check's red is the reason, and Unknown
where this can't be seen from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from lago_acceptance.checks import availability
from lago_acceptance.core.findings import Finding, errors_among
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts

Check = Callable[[str, PublicUrl], Iterable[Finding]]
_LATE = ("host-unanswered", "http-unanswered", "service-unanswered")


def every_host(
    check: Check, urls: Mapping[str, PublicUrl], facts: Facts | None
) -> tuple[list[Finding], Blocked | Unknown | None]:
    """Run a check on public URLs by role: its findings, and why the rest can't be judged.

    With ``facts``, what is red or blocked is blocked by the role's own service where that is down.
    """
    found: list[Finding] = []
    held: list[Blocked | Unknown] = []
    for role, url in urls.items():
        # Why the role's own service can't answer, which explains what is red or blocked.
        down = availability.why_down(facts, role) if facts is not None and not serving(facts, role) else ""
        try:
            findings = list(check(role, url))
        except Blocked as reason:
            held.append(Blocked(down, reason.missing) if down else reason)
            continue
        except Unknown as reason:
            held.append(reason)
            continue
        findings = [_with_load(each, facts) for each in findings]
        if down and errors_among(findings):
            held.append(Blocked(down, f"{url}, whose {role} is down"))
        else:
            found += findings
    return found, _one(held)


def _with_load(finding: Finding, facts: Facts | None) -> Finding:
    """A finding that nothing answered in time, with the host's load."""
    load = facts.load_text() if facts else ""
    if not load or finding.id not in _LATE:
        return finding
    return msgspec.structs.replace(finding, problem=f"{finding.problem}; {load}")


def serving(facts: Facts, role: str) -> bool:
    """Whether a role's container accepts requests. One that is not part of this deployment is assumed to."""
    containers = facts.of_role(role)
    if not containers and role not in (FRONT, API):
        return True
    up = (each for each in containers if each.running and not each.restarting)
    return any(each.health in (None, "healthy") for each in up)


def _one(held: list[Blocked | Unknown]) -> Blocked | Unknown | None:
    blocked = [each for each in held if isinstance(each, Blocked)]
    if blocked:
        return Blocked(blocked[0].by, "; ".join(each.missing for each in blocked))
    unseen = [each for each in held if isinstance(each, Unknown)]
    if not unseen:
        return None
    text, why, fix = (
        "; ".join(dict.fromkeys(filter(None, words)))
        for words in zip(*((str(each), each.why, each.fix) for each in unseen), strict=True)
    )
    return Unknown(text, why=why, fix=fix)
