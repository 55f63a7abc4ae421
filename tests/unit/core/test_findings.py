"""How findings read, and when a container counts as running."""

from __future__ import annotations

import pytest

from lago_acceptance.core.findings import Finding, Red, grouped
from lago_acceptance.facts.containers import container_from
from lago_acceptance.facts.types import STEADY, unix_time

STARTED = "2026-11-22T10:00:00.000000000Z"


def finding(**parts) -> Finding:
    return Finding(**{"id": "x", "problem": "w", "impact": "l", "fix": "m", **parts})


def test_what_is_said_of_several_services_is_said_once_of_all():
    alike = [finding(service="api", role="api"), finding(service="worker", role="worker")]
    (told,) = grouped(alike)
    assert told.service == "api, worker"
    red = Red(*alike)
    assert str(red).count("impact") == 1 and red.findings == tuple(alike)


def test_what_differs_is_told_apart():
    several = [finding(service="api"), finding(service="worker", problem="other"), finding()]
    assert [each.service for each in grouped(several)] == ["api", "worker", None]


@pytest.mark.parametrize(
    ("restarts", "health", "seconds", "state", "serving"),
    [
        (0, None, 1, {"Running": True}, True),
        (3, None, 1, {"Running": True}, False),
        (3, None, STEADY, {"Running": True}, True),
        (3, "healthy", 1, {"Running": True}, True),
        (3, "starting", 1, {"Running": True}, False),
        (0, None, 99, {"Running": True, "Restarting": True}, False),
        (0, None, 99, {"Running": False}, False),
    ],
)
def test_one_that_crashes_again_and_again_does_not_run(restarts, health, seconds, state, serving):
    whole = {
        "StartedAt": STARTED,
        "Status": "running",
        **state,
        **({"Health": {"Status": health}} if health else {}),
    }
    raw = {
        "id": "1",
        "name": "/lago-api",
        "image": "getlago/api:v1.16.0",
        "restarts": restarts,
        "state": whole,
    }
    assert container_from(raw, {}).serving(unix_time(STARTED) + seconds) is serving
