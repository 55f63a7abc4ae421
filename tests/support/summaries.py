"""Summaries of runs that nobody has run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lago_acceptance.core.findings import Finding
from lago_acceptance.reports import verdict
from lago_acceptance.reports.summary import Check, Summary, iso

HOST = "root@billing.example"
NIGHT = 86400
# The first night: 2026-11-01, 03:17 UTC.
FIRST = 1793503020


def summary(number: float, red: Iterable[str] = (), checks: Iterable[str] = (), **fields: Any) -> Summary:
    """The run of a night, in which some checks were red, each with a finding named like it, and others passed."""
    red = tuple(red)
    ended = tuple(_check(name, name in red) for name in (*red, *(checks or ("a", "b", "c"))))
    made = {each.name: each for each in reversed(ended)}
    started = FIRST + number * NIGHT
    given: dict[str, Any] = {
        "run": f"run-{number}",
        "version": "1",
        "target": "live",
        "host": HOST,
        "started": iso(started),
        "ended": iso(started + 12),
        "seconds": 12.0,
        "scheduled": True,
        "billing": verdict.WITH_FAULTS if red else verdict.BILLS,
        "exit_code": 1 if red else 0,
        "verdict": "not accepted" if red else "accepted",
        "causes": verdict.causes(ended),
        "timings": {},
        "stand_ins": (),
        "images": {},
        "notes": (),
        "checks": tuple(made.values()),
    }
    return Summary(**given | fields)


def unreached(number: float, **fields: Any) -> Summary:
    """The run of a night in which the host could not be reached."""
    return summary(number, checks=("a",), billing=verdict.NOT_KNOWN, exit_code=6, **fields)


def _check(name: str, red: bool) -> Check:
    finding = Finding(id=name, problem="it is red", impact="some", fix="repair it")
    return Check(name, 2, "failed" if red else "passed", 1.0, 0.1, findings=(finding,) if red else ())
