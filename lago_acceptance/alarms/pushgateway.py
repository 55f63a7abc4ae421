"""Metrics for a Prometheus Pushgateway, where a runner has no node_exporter or does not outlive its run."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence

from lago_acceptance.alarms.bounded import failure
from lago_acceptance.core.background import Background
from lago_acceptance.reports import metrics
from lago_acceptance.reports.summary import Summary

DEADLINE = 10.0
JOB = "lago_acceptance"


def push(url: str, summaries: Sequence[Summary], last_success: Mapping[str, float]) -> list[str]:
    """Replace this runner's metrics there. Returns warnings, and raises nothing."""
    sending = Background().submit(_push, url, summaries, last_success)
    reason = failure(sending, DEADLINE, DEADLINE)
    return [f"the Pushgateway did not get this run's metrics: {reason}"] if reason else []


def _push(url: str, summaries: Sequence[Summary], last_success: Mapping[str, float]) -> str:
    from prometheus_client import push_to_gateway

    registry = metrics.registry(summaries, last_success)
    # Each runner has a group of its own, so that one doesn't replace another's hosts.
    push_to_gateway(url, JOB, registry, {"instance": socket.gethostname()}, timeout=DEADLINE)
    return ""
