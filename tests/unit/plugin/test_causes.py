"""The plugin replaces a verdict that only follows from a cause; a run without a deployment has none to ask for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from lago_acceptance.checks.causes import Causes
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.plugin import outcomes


def finding(id: str, role: str) -> Finding:
    return Finding(id=id, role=role, problem=f"{id} it is", impact="i", fix="f")


CAUSE = finding("wrong-network", "api")


def reported(raised: Exception, causes: Causes | None) -> SimpleNamespace:
    """What the plugin makes of a check that ends so."""

    def check() -> None:
        raise raised

    stash = pytest.Stash()
    if causes:
        stash[outcomes.CAUSES] = lambda: causes
    item = SimpleNamespace(
        config=SimpleNamespace(stash=stash),
        stash=pytest.Stash(),
        path=Path("t.py"),
        location=("t.py", 1, "t"),
    )
    call = pytest.CallInfo.from_call(check, when="call")
    report = SimpleNamespace(outcome="?", when="call", failed=False, skipped=True)
    making = outcomes.pytest_runtest_makereport(item, call)  # type: ignore[arg-type]
    next(making)
    with pytest.raises(StopIteration) as made:
        making.send(report)
    return made.value.value


def test_what_follows_is_reported_as_blocked_by_its_cause():
    report = reported(Red(finding("service-unanswered", "api")), Causes((CAUSE,)))
    assert (report.kind, report.blocked_by, report.findings) == ("blocked", "wrong-network", [])
    assert "service-unanswered it is" in report.longrepr[2] and "wrong-network it is" in report.longrepr[2]


@pytest.mark.parametrize("causes", [None, Causes(), Causes((finding("wrong-network", "front"),))])
def test_without_its_cause_it_is_red(causes):
    report = reported(Red(finding("service-unanswered", "api")), causes)
    assert report.outcome == "failed" and [each.id for each in report.findings] == ["service-unanswered"]
