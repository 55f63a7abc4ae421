"""A heartbeat to a service that raises the alarm when it stops: healthchecks.io's form of start, success and exit code."""

from __future__ import annotations

from lago_acceptance.alarms.bounded import failure
from lago_acceptance.alarms.settings import AlarmSettings
from lago_acceptance.core.background import Background

# Seconds, from the look-up of the name to the status of the answer.
DEADLINE = 10.0


def start(settings: AlarmSettings | None) -> list[str]:
    """Say that a run has begun. Returns warnings, and raises nothing; likewise the two below."""
    return _beat(settings, "start")


def success(settings: AlarmSettings | None) -> list[str]:
    """Say that a run has ended and accepted all hosts."""
    return _beat(settings, "")


def fail(settings: AlarmSettings | None, exit_code: int) -> list[str]:
    """Say that a run has ended with this exit code, which is not 0."""
    return _beat(settings, str(exit_code) if 0 < exit_code < 256 else "fail")


def _beat(settings: AlarmSettings | None, event: str) -> list[str]:
    if settings is None or settings.heartbeat is None:
        return []
    # httpx limits each of its steps, and a server that sends one byte a second would pass them all.
    sending = Background().submit(_get, settings.heartbeat.reveal(), event)
    reason = failure(sending, DEADLINE, DEADLINE)
    return [f"the heartbeat ({event or 'success'}) did not arrive: {reason}"] if reason else []


def _get(url: str, event: str) -> str:
    """Ask for the event's address; returns what was wrong with the answer, "" for nothing."""
    import httpx

    address = httpx.URL(url)
    if event:
        address = address.copy_with(path=f"{address.path.rstrip('/')}/{event}")
    with httpx.stream("GET", address, timeout=DEADLINE) as response:
        if response.is_success:
            return ""
    return f"the server answered with status {response.status_code}"
