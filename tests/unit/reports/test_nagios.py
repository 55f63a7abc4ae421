"""One line, performance data, and one of four codes, as monitoring plugins print them."""

from __future__ import annotations

import re

import pytest

from lago_acceptance.core import settings as settings_files
from lago_acceptance.core.measurements import Measurement
from lago_acceptance.core.registry import Severity
from lago_acceptance.reports.nagios import line
from lago_acceptance.reports.summary import Check, NotJudged
from tests.support.nights import HOST, MEASURED, finding, night, red_night
from tests.support.paths import ROOT

SETTINGS = settings_files.load(ROOT / "settings.toml")
UNREACHABLE = night(
    billing="not known", exit_code=6, verdict="no verdict", notes=(f"{HOST}: connection refused",)
)
# The plugins' guidelines: label, value, unit, and up to two ranges.
NUMBER = re.compile(r"[a-z_]+=-?[\d.]+(?:s|B)?(?:;(?:\d+:?)?){0,2}")


def test_a_deployment_that_is_well_is_one_line_with_numbers_and_limits():
    text, code = line([night(measurements=MEASURED)], SETTINGS)
    assert (text, code) == (
        f"LAGO OK - {HOST}: bills | certificate_days=40;25:;14: queue_age=2.5s;;60 queue_jobs=4 dead_jobs=0 "
        "disk_free=21474836480B;;2147483648: dump_age=23400s first_invoice=12.5s duration=60s errors=0 warnings=0 "
        "not_judged=0",
        0,
    )


@pytest.mark.parametrize(
    ("summaries", "head", "code"),
    [
        ([night()], f"LAGO OK - {HOST}: bills", 0),
        (
            [
                night(
                    checks=(
                        Check("a", 2, "passed", 1, 1, "", (finding("log-large", severity=Severity.WARNING),)),
                    )
                )
            ],
            f"LAGO WARNING - {HOST}: bills, 1 warnings",
            1,
        ),
        (
            [
                night(
                    not_judged=(
                        NotJudged("unknown", "no key", ("a", "b")),
                        NotJudged("skipped", "not asked", ("c",)),
                    )
                )
            ],
            f"LAGO OK - {HOST}: bills, 2 not judged",
            0,
        ),
        (
            [red_night(since="2026-11-25T03:17:00Z")],
            f"LAGO CRITICAL - {HOST}: does not bill, since 2026-11-25T03:17:00Z, "
            "[service-down] the worker is not running",
            2,
        ),
        (
            [red_night(billing="bills, with faults")],
            f"LAGO CRITICAL - {HOST}: bills, with faults, [service-down] the worker is not running",
            2,
        ),
        ([UNREACHABLE], f"LAGO UNKNOWN - {HOST}: not known, {HOST}: connection refused", 3),
        ([night(billing="not known")], f"LAGO UNKNOWN - {HOST}: not known", 3),
        ([], "LAGO UNKNOWN - no host was checked", 3),
        ([night(), night(host="b")], "LAGO OK - 2 hosts: 2 OK", 0),
        (
            [night(), UNREACHABLE, red_night(host="root@b")],
            "LAGO CRITICAL - 3 hosts: 1 CRITICAL, 1 UNKNOWN, 1 OK; root@b: does not bill, "
            "[service-down] the worker is not running",
            2,
        ),
    ],
)
def test_the_line_has_the_verdict_and_the_code_is_its(summaries, head, code):
    text, given = line(summaries, SETTINGS)
    assert (text.splitlines()[0].split(" | ")[0], given) == (head, code)


@pytest.mark.parametrize(
    ("summaries", "unseen", "head", "code"),
    [
        ([], ["b has no summary"], "LAGO UNKNOWN - no verdict: b has no summary", 3),
        ([night()], ["b has | none"], "LAGO UNKNOWN - no verdict: b has ¦ none", 3),
        (
            [night(), night(host="a")],
            ["b has none", "c has none"],
            "LAGO UNKNOWN - 2 hosts: 2 OK; no verdict: b has none (and 1 more)",
            3,
        ),
        (
            [red_night()],
            ["b has none"],
            f"LAGO CRITICAL - {HOST}: does not bill, [service-down] the worker is not running; no verdict: b has none",
            2,
        ),
    ],
)
def test_hosts_that_nobody_has_seen_are_unknown(summaries, unseen, head, code):
    text, given = line(summaries, SETTINGS, unseen)
    assert (text.splitlines()[0].split(" | ")[0], given) == (head, code)
    assert text.splitlines()[-1].startswith("no verdict: ")


def test_further_lines_have_causes_and_what_was_not_judged():
    text, _ = line([red_night()])
    assert text.splitlines()[1:] == [
        "[service-down] worker: the worker is not running Fix: docker compose up -d worker",
        "3 not judged: no API key is known",
    ]


def test_bars_line_feeds_and_escapes_do_not_break_the_format():
    hostile = "a | b=1;2\nLAGO OK\r\x1b[31m it's=x"
    summaries = [
        red_night(
            finding(problem=hostile, fix=hostile, service=hostile), host=hostile, measurements=MEASURED
        ),
        night(
            host="root@b",
            notes=(hostile,),
            since=hostile,
            not_judged=(NotJudged("unknown", hostile, ("a",)),),
        ),
    ]
    text, _ = line(summaries, SETTINGS)
    first, *others = text.splitlines()
    head, performance = first.split(" | ")
    assert "|" not in head + "".join(others) and "\x1b" not in text
    assert not [each for each in others if each.startswith("LAGO")]
    alone, _ = line([summaries[0]], SETTINGS)
    assert alone.count("|") == 1 and [each for each in alone.splitlines() if each.startswith("LAGO OK")] == []
    assert [each for each in performance.split(" ") if not NUMBER.fullmatch(each)] == []


def test_it_is_short_enough_to_travel():
    many = [red_night(finding(problem="é" * 100), host=f"root@host{number}") for number in range(100)]
    text, _ = line(many, SETTINGS)
    assert len(text.encode()) <= 4_000 and "\nCRITICAL root@host4: does not bill, [service-down]" in text


def test_of_several_hosts_those_that_are_not_well_have_a_line_each():
    text, _ = line([night(), UNREACHABLE, red_night(host="root@b")])
    assert text.splitlines()[1:] == [
        "CRITICAL root@b: does not bill, [service-down] the worker is not running",
        f"UNKNOWN {HOST}: not known, {HOST}: connection refused",
    ]


def test_of_several_hosts_the_worst_number_counts():
    summaries = [night(measurements=(Measurement("certificate_days", days, "x"),)) for days in (60, 9)]
    text, _ = line([*summaries, UNREACHABLE], SETTINGS)
    assert "certificate_days=9;25:;14: " in text
    assert text.splitlines()[0].endswith(
        "hosts=3 hosts_ok=2 hosts_warning=0 hosts_unknown=1 hosts_critical=0"
    )


def test_certificate_limits_are_for_too_little():
    text, _ = line([night(measurements=(Measurement("certificate_days", 3, "x"),))], SETTINGS)
    assert "certificate_days=3;25:;14:" in text
