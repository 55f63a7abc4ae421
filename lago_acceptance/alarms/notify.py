"""Alarms: when one is due, what it says, and its way to each target. Apprise knows the services."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from lago_acceptance.alarms.bounded import failure
from lago_acceptance.core.background import Background
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.reports.summary import Cause, Summary
from lago_acceptance.reports.verdict import BILLS, DOES_NOT_BILL, NOT_KNOWN, WITH_FAULTS

if TYPE_CHECKING:
    from apprise import Apprise

CHANGED, STILL_RED, RECOVERED = "changed", "still red", "recovered"
# Seconds for a target to take all messages of a night.
DEADLINE = 30.0
# News of more hosts than this go into one message.
APART = 5
# What a message has of each list; the page has all of it.
_AT_MOST, _TITLE, _TEXT = 5, 120, 1000
# A timer starts a run some minutes earlier or later each night, and "once a day" has to mean every night.
_EARLY = 0.05
_HOUR = 3600
# What calls everybody in a chat, or somebody, when it comes from a container's log.
_CALL = re.compile(r"@(?=(?:everyone|here|channel|all|room)\b)|<(?=[!@#])", re.IGNORECASE)
_TITLES = {
    BILLS: "Lago on {} bills",
    DOES_NOT_BILL: "Lago on {} does not bill",
    WITH_FAULTS: "Lago on {} bills, with faults",
    NOT_KNOWN: "Unknown whether Lago on {} bills",
}


class LastAlarm(Protocol):
    """What is known of the last alarm of a host: when it was sent, and the state that it told of."""

    @property
    def sent(self) -> float: ...
    @property
    def billing(self) -> str: ...
    @property
    def cause(self) -> str: ...


class Message(msgspec.Struct, frozen=True):
    """One alarm. ``kind`` is one of Apprise's: failure, warning or success."""

    title: str
    body: str
    kind: str


class Delivery(msgspec.Struct, frozen=True):
    """How sending went: one sentence for each target that failed, and for each message whether any target took it."""

    warnings: list[str]
    arrived: tuple[bool, ...]


def is_red(summary: Summary) -> bool:
    """Whether somebody has to look: it is not accepted, or nobody knows whether it bills."""
    return summary.exit_code != 0 or summary.billing != BILLS


def cause(summary: Summary) -> str:
    """The first cause's id, or the exit code where there is none; "" where all is well."""
    if not is_red(summary):
        return ""
    return summary.causes[0].finding.id if summary.causes else f"exit code {summary.exit_code}"


def due(summary: Summary, last: LastAlarm | None, now: float, repeat_hours: float) -> str:
    """Why this run is worth an alarm: "changed", "still red" or "recovered"; "" where it is not.

    ``last`` is the host's last alarm, ``now`` Unix time.
    """
    was_red = last is not None and (last.billing != BILLS or last.cause != "")
    if not is_red(summary):
        return RECOVERED if was_red else ""
    if last is None or not was_red or (last.billing, last.cause) != (summary.billing, cause(summary)):
        return CHANGED
    waited = now - last.sent
    # A clock that was set back must not silence a host until it has caught up.
    return STILL_RED if waited < 0 or waited >= repeat_hours * _HOUR * (1 - _EARLY) else ""


def message(summary: Summary, why: str, page: str) -> Message:
    """The alarm of a host: verdict, since when, causes with what they lead to and what to do, and the page."""
    host = _safe(summary.key or summary.target)
    title = _TITLES.get(summary.billing, _TITLES[NOT_KNOWN]).format(host)
    title = {RECOVERED: f"{title} again", STILL_RED: f"Still: {title}"}.get(why, title)
    kind = {BILLS: "success", DOES_NOT_BILL: "failure"}.get(summary.billing, "warning")
    return Message(
        title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…",
        "\n".join([*_state(summary, host), *_causes(summary), *_unjudged(summary), *_footer(summary, page)]),
        "success" if why == RECOVERED else kind,
    )


def together(messages: Sequence[Message], page: str) -> Message:
    """One message for many hosts: where the runner has lost its network, nobody needs two hundred mails."""
    body = [f"- {each.title}" for each in messages[:50]]
    if len(messages) > len(body):
        body.append(f"and {len(messages) - len(body)} more")
    failed = [each for each in messages if each.kind != "success"]
    return Message(
        f"Lago: news from {len(messages)} hosts, {len(failed)} of which need attention",
        "\n".join([*body, *(["", f"Page: {_safe(page)}"] if page else [])]),
        "failure" if any(each.kind == "failure" for each in messages) else "warning" if failed else "success",
    )


def is_usable(url: str) -> bool:
    """Whether Apprise knows what to do with a URL."""
    return len(_service(url)) == 1


def send(targets: Sequence[Secret], messages: Sequence[Message], deadline: float = DEADLINE) -> Delivery:
    """Send messages to all targets side by side, for ``deadline`` seconds at most. Never raises: see Delivery."""
    if not messages:
        return Delivery([], ())
    background, taken = Background(), [[False] * len(messages) for _ in targets]
    sendings = [
        background.submit(_deliver, target, messages, mine)
        for target, mine in zip(targets, taken, strict=True)
    ]
    end = time.monotonic() + deadline
    warnings = []
    for number, (target, sending) in enumerate(zip(targets, sendings, strict=True), 1):
        if reason := failure(sending, end - time.monotonic(), deadline):
            warnings.append(f"the alarm to {name(number, target)} was not sent: {reason}")
    return Delivery(warnings, tuple(any(each) for each in zip(*taken, strict=True)))


def name(number: int, target: Secret) -> str:
    """A target without its secrets: in many URLs host and path are secret too."""
    service = _service(target.reveal())
    kind = f" ({service[0].service_name})" if len(service) else ""
    return f"target {number} of the alarms file{kind}"


def _deliver(target: Secret, messages: Sequence[Message], taken: list[bool]) -> str:
    """Send messages to one target, and note which it took; returns why it failed, "" where it did not."""
    from apprise import NotifyFormat, NotifyType

    service, reason = _service(target.reveal()), ""
    for number, each in enumerate(messages):
        # As text, so that Apprise escapes it where a service takes markup.
        result = service.notify(
            each.body, each.title, notify_type=NotifyType(each.kind), body_format=NotifyFormat.TEXT
        )
        taken[number] = bool(result)
        if not result:
            said = [redact(one_line(str(entry.message))).rstrip(".") for entry in result.logs()]
            reason = "; ".join(dict.fromkeys(said))[:_TEXT] or "it did not accept the message"
    return reason


def _service(url: str) -> Apprise:
    """A target as Apprise has it; empty where the URL can't be used."""
    import apprise

    _quieten()
    # No thread pool: Python would wait for a hanging target's thread when it ends.
    asset = apprise.AppriseAsset(
        app_id="lago-acceptance",
        app_desc="Acceptance tests of Lago",
        app_url="",
        service_timeout=0,
        # Of a POST that is sent elsewhere a GET is made, whose answer would pass for the alarm's.
        http_redirects=False,
    )
    made = apprise.Apprise(asset=asset)
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is not None:
        if "overflow=" not in url:
            # The most important lines come first: a service with short messages shows those, and refuses nothing.
            service.overflow_mode = apprise.OverflowMode.TRUNCATE
        made.add(service)
    return made


def _quieten() -> None:
    """Keep Apprise's log, which may hold URLs, away from standard error. Results have their own."""
    log = logging.getLogger("apprise")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def _state(summary: Summary, host: str) -> list[str]:
    version = f", Lago {_safe(summary.deployment.lago)}" if summary.deployment.lago else ""
    lines = [f"{host}{version}: {_safe(summary.billing)} ({_safe(summary.verdict)})"]
    if summary.since:
        lines.append(f"Since: {_safe(summary.since)}")
    if summary.changes > 1:
        lines.append(f"It has changed {summary.changes} times in the last ten runs.")
    return lines


def _causes(summary: Summary) -> list[str]:
    lines = [line for each in summary.causes[:_AT_MOST] for line in _cause(each)]
    if (more := len(summary.causes) - _AT_MOST) > 0:
        lines += ["", f"and {more} more"]
    if summary.notes and not summary.causes and is_red(summary):
        # What ended a run comes first among its notes.
        lines += ["", *(f"- {_safe(note)}" for note in summary.notes[:_AT_MOST])]
    return lines


def _cause(each: Cause) -> list[str]:
    finding = each.finding
    where = " ".join(str(part) for part in (finding.service or finding.role, finding.place) if part)
    return [
        "",
        f"[{finding.id}]{f' {_safe(where)}:' if where else ''} {_safe(finding.problem)}",
        f"Impact: {_safe(finding.impact)}",
        f"Fix: {_safe(finding.fix)}",
        *([f"Blocks: {len(each.blocked)} checks"] if each.blocked else []),
    ]


def _unjudged(summary: Summary) -> list[str]:
    if not summary.not_judged:
        return []
    lines = [f"- {len(each.checks)}: {_safe(each.reason)}" for each in summary.not_judged[:_AT_MOST]]
    return ["", f"Not judged ({sum(len(each.checks) for each in summary.not_judged)}):", *lines]


def _footer(summary: Summary, page: str) -> list[str]:
    ended = f", {_safe(summary.ended)}" if summary.ended else ""
    run = f"Run {_safe(summary.run)}{ended}, suite {_safe(summary.version)}"
    return ["", *([f"Page: {_safe(page)}"] if page else []), run]


def _safe(text: str) -> str:
    """A text from elsewhere as one harmless line: no escape sequences, no line of a header, no secret, no call to a chat."""
    line = redact(one_line(text))
    line = line if len(line) <= _TEXT else f"{line[: _TEXT - 1]}…"
    return _CALL.sub(lambda found: f"{found[0]} ", line)
