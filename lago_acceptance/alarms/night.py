"""All that a run sends about its hosts when it has ended: alarms, and metrics to a Pushgateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from lago_acceptance.alarms import notify, pushgateway
from lago_acceptance.alarms.settings import AlarmSettings
from lago_acceptance.reports.summary import Summary


class Sent(NamedTuple):
    """An alarm that arrived, for the history: when, the state that it told of, and the run's id."""

    sent: float
    billing: str
    cause: str
    run: str


class Report(msgspec.Struct, frozen=True):
    """What was sent: a sentence for everything that failed, and the alarms that arrived, by the host's key."""

    warnings: list[str]
    sent: dict[str, Sent]


def report(
    settings: AlarmSettings | None,
    summaries: Sequence[Summary],
    last_alarms: Mapping[str, notify.LastAlarm | None],
    now: float,
    last_success: Mapping[str, float] | None = None,
) -> Report:
    """Send what is due. Nothing where nothing is configured; never raises, and takes a minute at most.

    ``last_alarms`` and ``last_success`` are by ``Summary.key``; ``now`` is Unix time. An alarm that reached no target is
    not in ``sent``, so that the next run tries again.
    """
    if settings is None:
        return Report([], {})
    due = {
        summary.key: (summary, why)
        for summary in summaries
        if (why := notify.due(summary, last_alarms.get(summary.key), now, settings.repeat_hours))
    }
    messages = [notify.message(summary, why, settings.page) for summary, why in due.values()]
    if len(messages) > notify.APART:
        delivery = notify.send(settings.targets, [notify.together(messages, settings.page)])
        arrived = delivery.arrived * len(messages)
    else:
        delivery = notify.send(settings.targets, messages)
        arrived = delivery.arrived
    sent = {
        key: Sent(now, summary.billing, notify.cause(summary), summary.run)
        for (key, (summary, _)), has_arrived in zip(due.items(), arrived, strict=False)
        if has_arrived
    }
    warnings = [*settings.warnings, *delivery.warnings]
    if settings.pushgateway:
        warnings += pushgateway.push(settings.pushgateway, summaries, last_success or {})
    return Report(warnings, sent)
