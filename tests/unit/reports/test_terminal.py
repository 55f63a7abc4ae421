"""The end of a run's output: read in ten seconds, at 80 and at 40 columns, in pipes and on CI servers."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.reports import verdict
from lago_acceptance.reports.summary import Check, Deployment, Summary
from lago_acceptance.reports.terminal import render

DOWN = Finding(
    id="service-down",
    role="worker",
    service="lago-worker",
    problem="has exited with code 1; its last log line: could not connect to redis://lago-redis:6379",
    impact="no invoices, no webhooks, no usage: nothing is billed, while /health stays green",
    fix="read docker logs lago-worker-1",
)
PINNED = Finding(
    id="image-not-pinned",
    severity=Severity.WARNING,
    service="lago-pdf",
    problem="is latest",
    impact="it changes",
    fix="pin it",
)
CHECKS = (
    Check("suites/a.py::test_services", 2, "failed", 0.0, 1.0, findings=(DOWN, PINNED)),
    Check("suites/a.py::test_workers", 2, "failed", 0.0, 1.0, findings=(DOWN,)),
    Check("suites/a.py::test_api", 2, "passed", 0.0, 1.0),
    *(
        Check(f"suites/b.py::test_{number}", 5, "blocked", 0.0, 0.0, blocked_by="service-down")
        for number in range(12)
    ),
    *(
        Check(
            f"suites/c.py::test_{number}",
            4,
            "unknown",
            0.0,
            0.0,
            reason=f"{number}: no key",
            why="no API key is known in the container",
            fix="set LAGO_API_KEY or --api-key-file",
        )
        for number in range(17)
    ),
    Check("suites/d.py::test_pages", 3, "crashed", 0.0, 0.0, reason="Traceback\nKeyError: 'x'\n"),
    Check("suites/d.py::test_edge", 3, "blocked", 0.0, 0.0, blocked_by="host-unanswered"),
)


def plain(text: str, **_: bool) -> str:
    return text


def summary(checks: tuple[Check, ...] = CHECKS, code: int = 1, **fields) -> Summary:
    made = Summary(
        run="20261127-000000-abcdef",
        version="1.0.0",
        target="live",
        host="root@billing.example.com",
        deployment=Deployment(lago="v1.16.0"),
        since="2026-11-20T03:12:44Z",
        seconds=12.34,
        billing=verdict.billing(code, checks),
        verdict=verdict.in_words(code, (), sum(each.outcome in verdict.NO_VERDICT for each in checks)),
        exit_code=code,
        causes=verdict.causes(checks),
        not_judged=verdict.not_judged(checks),
        timings={},
        stand_ins=(),
        images={},
        notes=("a note",),
        checks=checks,
    )
    return msgspec.structs.replace(made, **fields)


GOOD = summary((CHECKS[2],), 0, billing=verdict.BILLS)


def test_the_first_line_says_whether_it_bills_where_since_when_and_why_not():
    first = render(summary(), plain).splitlines()[0]
    assert first.startswith(
        "does not bill: root@billing.example.com, Lago v1.16.0, since 2026-11-20 03:12 UTC; first cause: service-down: "
        "lago-worker: has exited with code 1"
    )


def test_the_first_line_of_a_healthy_host():
    lines = render(GOOD, plain).splitlines()
    assert lines[0] == "bills: root@billing.example.com, Lago v1.16.0, since 2026-11-20 03:12 UTC"
    assert lines[-1] == "accepted (12.3 s, lago-acceptance 1.0.0)"


def test_what_is_not_known_is_left_out_of_the_first_line():
    bare = msgspec.structs.replace(GOOD, since="", deployment=Deployment())
    assert render(bare, plain).splitlines()[0] == "bills: root@billing.example.com"


def test_a_verdict_that_keeps_changing_is_told_with_the_project():
    changing = msgspec.structs.replace(GOOD, changes=4, project="lago")
    assert render(changing, plain).splitlines()[0] == (
        "bills: root@billing.example.com (project lago), Lago v1.16.0, since 2026-11-20 03:12 UTC, changed 4 times in the "
        "last ten runs"
    )


def test_a_cause_is_told_once_with_what_it_leads_to():
    lines = render(summary(), plain).splitlines()
    at = lines.index(f"[service-down] lago-worker: {DOWN.problem}")
    assert lines[at + 1 : at + 4] == [
        f"  impact: {DOWN.impact}",
        f"  fix: {DOWN.fix}",
        "  (stops billing; 12 checks not judged because of it; reported by test_services, test_workers)",
    ]
    assert sum("[service-down]" in line for line in lines) == 1


def test_each_reason_has_one_line_with_its_count_and_what_helps():
    lines = render(summary(), plain).splitlines()
    for line in (
        "17 not judged: no API key is known in the container: set LAGO_API_KEY or --api-key-file",
        "12 not judged: blocked by service-down",
        "1 not judged: blocked by host-unanswered, whose own check was not selected or gave no verdict",
        "1 not judged: the suite itself failed: KeyError: 'x'",
    ):
        assert line in lines
    assert lines.index(next(each for each in lines if each.startswith("warning "))) < lines.index(
        "12 not judged: blocked by service-down"
    )


def test_a_failure_without_a_finding_is_not_lost():
    odd = Check("suites/a.py::test_odd", 2, "failed", 0.0, 0.0, reason="E   assert 1 == 2\n")
    assert "suites/a.py::test_odd has failed: E   assert 1 == 2" in render(summary((odd,)), plain)


@pytest.mark.parametrize("width", [80, 40])
def test_every_line_fits(width):
    hostile = msgspec.structs.replace(DOWN, problem="x" * 300, fix="/".join(["very-long-path"] * 30))
    long = Check("suites/a.py::test_long", 2, "failed", 0.0, 1.0, findings=(hostile,))
    lines = render(summary((*CHECKS, long)), plain, width).splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for part in ("does not bill: root@billing.example.com,", "17 not judged: no API key is known in the"):
        assert part in text
    assert "not accepted (31 not judged)" in text


@pytest.mark.parametrize("width", [80, 40])
def test_names_of_wide_characters_fit(width):
    """Each takes two cells: "\u754c"."""
    wide = msgspec.structs.replace(DOWN, problem="\u754c" * 90, service="\u754c" * 30)
    lines = render(summary((Check("a", 2, "failed", 0.0, 1.0, findings=(wide,)),)), plain, width).splitlines()
    assert max(len(line) + line.count("\u754c") for line in lines) <= width


def test_the_table_becomes_lines_where_it_does_not_fit():
    assert any(line.startswith("phase ") for line in render(summary(), plain, 80).splitlines())
    narrow = render(summary(), plain, 40).splitlines()
    assert not any(line.startswith("phase ") for line in narrow)
    assert "2 Services: 1 passed, 2 failed, 1" in narrow and "  warnings" in narrow


def test_in_a_pipe_no_line_is_broken():
    assert any(len(line) > 120 for line in render(summary(), plain).splitlines())


def test_a_word_that_begins_a_broken_line_is_no_command_to_a_ci_server():
    problem = f"{'x ' * 38}::error::forged"
    forged = msgspec.structs.replace(DOWN, problem=problem)
    check = Check("suites/a.py::test_a", 2, "failed", 0.0, 1.0, findings=(forged,))
    for width in range(40, 100):
        lines = render(summary((check,)), plain, width).splitlines()
        assert not [line for line in lines if line.lstrip().startswith("::")]


def test_groups_are_marked_for_github_and_gitlab_alone():
    github = render(summary(), plain, environment={"GITHUB_ACTIONS": "true"}).splitlines()
    at = github.index("::group::Not judged")
    assert github[at + 1].startswith("17 not judged") and github.count("::endgroup::") == 3
    gitlab = render(summary(), plain, environment={"GITLAB_CI": "true"})
    assert gitlab.count("\x1b[0Ksection_start:") == gitlab.count("\x1b[0Ksection_end:") == 3
    elsewhere = render(summary(), plain, environment={"CI": "true"})
    assert "::group::" not in elsewhere and "\x1b" not in elsewhere
