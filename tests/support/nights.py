"""Summaries of nightly runs that were never made."""

from __future__ import annotations

from typing import Any

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.measurements import Measurement
from lago_acceptance.reports.summary import Cause, Check, Deployment, NotJudged, Summary, iso, unix

HOST = "root@billing.example.com"
MORNING = unix("2026-11-27T03:17:00Z") or 0.0
HOUR, DAY = 3600.0, 86400.0


def finding(id: str = "service-down", **fields: Any) -> Finding:
    """An error, as a check reports it."""
    given = {
        "problem": "the worker is not running",
        "impact": "no invoice is made",
        "fix": "docker compose up -d worker",
        "service": "worker",
    }
    return Finding(id=id, **(given | fields))


def night(host: str = HOST, at: float = MORNING, **fields: Any) -> Summary:
    """A run that accepted its host, or one that ended as ``fields`` say."""
    given: dict[str, Any] = {
        "run": f"run-{at:.0f}",
        "version": "1.2.3",
        "target": "live",
        "host": host,
        "deployment": Deployment(lago="v1.16.0"),
        "scheduled": True,
        "started": iso(at - 60),
        "ended": iso(at),
        "seconds": 60.0,
        "billing": "bills",
        "verdict": "accepted",
        "exit_code": 0,
        "timings": {},
        "stand_ins": (),
        "images": {},
        "notes": (),
        "checks": (
            Check("suites/a.py::test_services", 2, "passed", at, 1.0),
            Check("suites/a.py::test_plans", 6, "unknown", at, 0.0, "no key", why="no key"),
        ),
    }
    return Summary(**(given | fields))


def red_night(found: Finding | None = None, at: float = MORNING, **fields: Any) -> Summary:
    """A run that found something that stops billing."""
    found = found or finding()
    given: dict[str, Any] = {
        "billing": "does not bill",
        "verdict": "not accepted",
        "exit_code": 1,
        "causes": (Cause(found, ("suites/a.py::test_services",), ("suites/a.py::test_invoices",)),),
        "not_judged": (NotJudged("unknown", "no API key is known", ("a", "b", "c")),),
        "checks": (
            Check("suites/a.py::test_services", 2, "failed", at, 1.0, "", (found,)),
            Check("suites/a.py::test_invoices", 5, "blocked", at, 0.0, "", (), found.id),
        ),
    }
    return night(at=at, **(given | fields))


MEASURED = tuple(
    Measurement(name, value, about)
    for name, value, about in (
        ("certificate_days", 63.0, "billing.example.com"),
        ("certificate_days", 40.0, "billing-api.example.com"),
        ("queue_age", 2.5, "default"),
        ("queue_jobs", 4, "default"),
        ("dead_jobs", 0, ""),
        ("processed_jobs", 1200, ""),
        ("failed_jobs", 7, ""),
        ("disk_free", 20480, "/"),
        ("dump_age", 6.5, "/var/backups/lago.sql.gz"),
        ("dump_size", 1048576, "/var/backups/lago.sql.gz"),
        ("log_size", 4096, "lago-worker-1"),
        ("restarts", 0, "lago-worker-1"),
        ("containers", 8, ""),
        ("migrations", 408, ""),
        ("clock_drift", 0.2, ""),
        ("billing_sign", 0, "invoices_failed"),
        ("first_invoice", 12.5, ""),
    )
)
