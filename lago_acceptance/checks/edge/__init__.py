"""Judgement of the edge: pure functions of what was seen from outside and of Traefik's own word.

A check judges one public host. It gives findings, raises Blocked where another check's red is the reason, and
Unknown where the truth can't be seen from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lago_acceptance.checks import availability
from lago_acceptance.core.findings import Finding, errors_among
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts

Check = Callable[[str, str], Iterable[Finding]]


def every_host(
    check: Check, hosts: dict[str, str], facts: Facts | None
) -> tuple[list[Finding], Blocked | Unknown | None]:
    """Put a check to hosts, given as role and name: its findings, and why the rest can't be judged.

    With ``facts``, what is red or blocked is blocked by the role's own service where that is down.
    """
    found: list[Finding] = []
    held: list[Blocked | Unknown] = []
    for role, host in hosts.items():
        down = availability.why_down(facts, role) if facts and not serving(facts, role) else ""
        try:
            findings = list(check(role, host))
        except (Blocked, Unknown) as reason:
            held.append(Blocked(down, reason.missing) if down and isinstance(reason, Blocked) else reason)
            continue
        if down and errors_among(findings):
            held.append(Blocked(down, f"{host}, whose {role} does not serve"))
        else:
            found += findings
    return found, _one(held)


def serving(facts: Facts, role: str) -> bool:
    """Whether a role's container takes requests. What is not of this deployment is taken to do so."""
    containers = facts.of_role(role)
    if not containers and role not in (FRONT, API):
        return True
    up = (each for each in containers if each.running and not each.restarting)
    return any(each.health in (None, "healthy") for each in up)


def _one(held: list[Blocked | Unknown]) -> Blocked | Unknown | None:
    blocked = [each for each in held if isinstance(each, Blocked)]
    if blocked:
        return Blocked(blocked[0].by, "; ".join(each.missing for each in blocked))
    return Unknown("; ".join(dict.fromkeys(map(str, held)))) if held else None
