"""The verdict of a run in words: whether the deployment bills, what is wrong, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from lago_acceptance.core.consequences import STOPS_BILLING, STOPS_BY_ROLE, stops_billing
from lago_acceptance.core.findings import Finding, errors_among
from lago_acceptance.reports.summary import Cause, Check, NotJudged

BILLS, DOES_NOT_BILL, WITH_FAULTS, NOT_KNOWN = BILLING = (
    "bills",
    "does not bill",
    "bills, with faults",
    "not known",
)
# Only a run that has seen all of these at work, or an invoice made, can say that the deployment bills.
_AT_WORK = frozenset(
    f"suites/phase2_services/test_{part}.py" for part in ("api", "clock", "database", "services", "worker")
)
_BILLED = "suites/phase5_validation/test_billing_cycle.py"
JUDGED = ("passed", "failed", "waived")
NO_VERDICT = ("blocked", "unknown", "skipped", "crashed")


def billing(exit_code: int, checks: Sequence[Check]) -> str:
    """Whether the deployment bills, as far as these checks have seen: one of BILLING."""
    if exit_code not in (0, 1):
        return NOT_KNOWN
    found = [finding for check in checks for finding in errors_among(list(check.findings))]
    blocking = {check.blocked_by for check in checks if check.blocked_by}
    if any(map(stops_billing, found)) or blocking & STOPS_BILLING:
        return DOES_NOT_BILL
    # Of a service that is down all that is known here is that another check reports it.
    unseen = (blocking & STOPS_BY_ROLE) - {finding.id for finding in found}
    judged = {check.name.partition("::")[0] for check in checks if check.outcome in JUDGED}
    if unseen or not (judged >= _AT_WORK or _BILLED in judged):
        return NOT_KNOWN
    return WITH_FAULTS if any(check.outcome in ("failed", "blocked") for check in checks) else BILLS


def causes(checks: Sequence[Check]) -> tuple[Cause, ...]:
    """The errors, each once, those that stop billing first; then in the order of the checks.

    The same finding on several services is one cause. Where several causes have one id, the first of them has the checks
    that could not be judged because of it.
    """
    found: dict[tuple[Finding, bool], list[tuple[Finding, str]]] = {}
    for check in checks:
        for finding in errors_among(list(check.findings)) if check.outcome == "failed" else ():
            named = finding.service is not None
            alike = msgspec.structs.replace(finding, service=None, role=None) if named else finding
            found.setdefault((alike, named), []).append((finding, check.name))
    ordered = sorted(
        found.items(), key=lambda each: not any(stops_billing(finding) for finding, _ in each[1])
    )
    blocked: dict[str, list[str]] = {}
    for check in checks:
        if check.blocked_by:
            blocked.setdefault(check.blocked_by, []).append(check.name)
    return tuple(
        Cause(
            _of_all(alike, [finding for finding, _ in seen]),
            tuple(dict.fromkeys(name for _, name in seen)),
            tuple(blocked.pop(alike.id, ())),
        )
        for (alike, _), seen in ordered
    )


def _of_all(alike: Finding, seen: Sequence[Finding]) -> Finding:
    """One finding for several that differ in their service alone; its role where they share one."""
    services = dict.fromkeys(finding.service for finding in seen if finding.service)
    roles = {finding.role for finding in seen}
    return msgspec.structs.replace(
        alike,
        service=", ".join(services) or None,
        role=roles.pop() if len(roles) == 1 else None,
    )


def not_judged(checks: Iterable[Check]) -> tuple[NotJudged, ...]:
    """Why checks gave no verdict: one entry for each reason, the most frequent first."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for check in checks:
        if check.outcome in NO_VERDICT:
            reason = f"blocked by {check.blocked_by}" if check.blocked_by else check.why or check.reason
            found.setdefault((check.outcome, reason, check.blocked_by, check.fix), []).append(check.name)
    made = [
        NotJudged(outcome, reason, tuple(names), blocked_by, fix)
        for (outcome, reason, blocked_by, fix), names in found.items()
    ]
    return tuple(sorted(made, key=lambda each: -len(each.checks)))


def in_words(exit_code: int, stand_ins: tuple[str, ...], unjudged: int = 0, strict: bool = False) -> str:
    """What the exit code means. ``unjudged`` is how many checks gave no verdict, ``strict`` whether that is why the run is
    not accepted.
    """
    words = {
        0: "accepted",
        1: "not accepted",
        2: "interrupted, so there is no verdict",
        3: "internal error of the suite, so there is no verdict",
        4: "usage error, so there is no verdict",
        5: "nothing was checked",
        6: "the target could not be reached or brought up, so there is no verdict on it",
    }.get(exit_code, f"ended with code {exit_code}")
    if unjudged and exit_code in (0, 1, 5):
        words += f" ({unjudged} not judged{', which --strict does not accept' if strict else ''})"
    if exit_code == 0 and stand_ins:
        words += f", on stand-ins for: {', '.join(stand_ins)}"
    return words
