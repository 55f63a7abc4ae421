"""The verdict in words: does it bill, what is wrong, what was not judged."""

from __future__ import annotations

import pytest

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.reports import verdict
from lago_acceptance.reports.summary import Check


def finding(id: str = "plan-drift", **fields) -> Finding:
    return Finding(**{"id": id, "problem": "p", "impact": "i", "fix": "f", **fields})


def check(outcome: str = "passed", *findings: Finding, phase: int = 2, **fields) -> Check:
    return Check(
        fields.pop("name", "suites/x.py::test_x"), phase, outcome, 0.0, 0.1, findings=findings, **fields
    )


PARTS = ("api", "clock", "database", "services", "worker")
AT_WORK = [check(name=f"suites/phase2_services/test_{part}.py::test_x") for part in PARTS]
BILLED = check(phase=5, name="suites/phase5_validation/test_billing_cycle.py::test_x")


@pytest.mark.parametrize(
    ("code", "checks", "words"),
    [
        (0, AT_WORK, "bills"),
        (0, [BILLED], "bills"),
        (0, AT_WORK[1:], "not known"),
        (0, [*AT_WORK[1:], check("unknown", name=AT_WORK[0].name)], "not known"),
        (1, [*AT_WORK, check("failed", finding())], "bills, with faults"),
        (1, [*AT_WORK, check("failed", finding("no-clock-service"))], "does not bill"),
        (1, [*AT_WORK, check("failed", finding("service-down", role="worker"))], "does not bill"),
        (1, [*AT_WORK, check("failed", finding("service-down", role="front"))], "bills, with faults"),
        (1, [*AT_WORK, check("blocked", blocked_by="redis-refuses-lago")], "does not bill"),
        (1, [*AT_WORK, check("blocked", blocked_by="service-down")], "not known"),
        # --strict: nothing is wrong.
        (1, [*AT_WORK, check("unknown")], "bills"),
        (0, [check(phase=3)], "not known"),
        (3, [*AT_WORK, check("crashed")], "not known"),
        (6, [], "not known"),
    ],
)
def test_whether_it_bills(code, checks, words):
    assert verdict.billing(code, checks) == words


def test_one_finding_on_several_services_is_one_cause():
    found = [finding(service=name, role=name) for name in ("api", "worker")]
    [cause] = verdict.causes([check("failed", *found), check("failed", found[0], name="x::test_y")])
    assert cause.finding.service == "api, worker" and cause.finding.role is None
    assert cause.checks == ("suites/x.py::test_x", "x::test_y")


def test_what_stops_billing_comes_first_and_the_rest_in_the_order_of_the_checks():
    found = [finding("plan-drift"), finding("dump-old"), finding("no-clock-service")]
    causes = verdict.causes([check("failed", each) for each in found])
    assert [each.finding.id for each in causes] == ["no-clock-service", "plan-drift", "dump-old"]


def test_a_blocked_check_is_counted_once_where_causes_share_an_id():
    down = [finding("service-down", service=name, role=name, problem=name) for name in ("front", "worker")]
    causes = verdict.causes([check("failed", *down), check("blocked", blocked_by="service-down", name="b")])
    assert [(each.finding.role, each.blocked) for each in causes] == [("worker", ("b",)), ("front", ())]


def test_a_warning_is_no_cause():
    found = [finding("image-not-pinned", severity=Severity.WARNING), finding("plan-drift")]
    assert [each.finding.id for each in verdict.causes([check("failed", *found)])] == ["plan-drift"]


def test_reasons_are_grouped_by_what_they_have_in_common():
    checks = [
        check("unknown", reason="a: no key", why="no key", fix="set it", name="a"),
        check("unknown", reason="b: no key", why="no key", fix="set it", name="b"),
        check("skipped", reason="later", name="c"),
        check("waived", finding(), name="d"),
    ]
    first, second = verdict.not_judged(checks)
    assert (first.reason, first.fix, first.checks) == ("no key", "set it", ("a", "b"))
    assert (second.outcome, second.reason, second.checks) == ("skipped", "later", ("c",))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, ()), "accepted"),
        ((0, (), 30), "accepted (30 not judged)"),
        ((0, ("redis:7",), 2), "accepted (2 not judged), on stand-ins for: redis:7"),
        ((1, (), 3, True), "not accepted (3 not judged, which --strict does not accept)"),
        ((6, (), 3), "the target could not be reached or brought up, so there is no verdict on it"),
    ],
)
def test_the_verdict_counts_what_was_not_judged(arguments, words):
    assert verdict.in_words(*arguments) == words
