"""The verdict of a run in words: whether the deployment bills, what is wrong, and what was not judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lago_acceptance.core.consequences import STOPS_BILLING
from lago_acceptance.core.findings import Finding, errors_among, grouped
from lago_acceptance.reports.summary import Cause, Check, NotJudged

BILLS, DOES_NOT_BILL, WITH_FAULTS, NOT_KNOWN = BILLING = (
    "bills",
    "does not bill",
    "bills, with faults",
    "not known",
)
# A run that has judged none of these has not seen whether the deployment bills: the services that do the work.
PROVING = (2, 5)
NO_VERDICT = ("blocked", "unknown", "skipped", "crashed")


def billing(exit_code: int, checks: Sequence[Check]) -> str:
    """Whether the deployment bills, as far as these checks have seen: one of BILLING."""
    ids = {finding.id for check in checks for finding in errors_among(list(check.findings))}
    ids |= {check.blocked_by for check in checks if check.blocked_by}
    if exit_code not in (0, 1):
        return NOT_KNOWN
    if ids & STOPS_BILLING:
        return DOES_NOT_BILL
    if not any(check.phase in PROVING and check.outcome in ("passed", "waived") for check in checks):
        return NOT_KNOWN
    return WITH_FAULTS if exit_code else BILLS


def causes(checks: Sequence[Check]) -> tuple[Cause, ...]:
    """The errors, each once, those that stop billing first; then in the order of the checks."""
    found: dict[Finding, list[str]] = {}
    for check in checks:
        if check.outcome == "failed":
            for finding in grouped(errors_among(list(check.findings))):
                found.setdefault(finding, []).append(check.name)
    blocked: dict[str, list[str]] = {}
    for check in checks:
        if check.blocked_by:
            blocked.setdefault(check.blocked_by, []).append(check.name)
    made = [
        Cause(finding, tuple(names), tuple(blocked.get(finding.id, ()))) for finding, names in found.items()
    ]
    return tuple(sorted(made, key=lambda cause: cause.finding.id not in STOPS_BILLING))


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


def in_words(exit_code: int, stand_ins: tuple[str, ...]) -> str:
    """What the exit code means."""
    words = {
        0: "accepted",
        1: "not accepted",
        2: "interrupted, so there is no verdict",
        3: "internal error of the suite, so there is no verdict",
        4: "usage error, so there is no verdict",
        5: "nothing was checked",
        6: "the target could not be reached or brought up, so there is no verdict on it",
    }.get(exit_code, f"ended with code {exit_code}")
    if exit_code == 0 and stand_ins:
        words += f", on stand-ins for: {', '.join(stand_ins)}"
    return words
