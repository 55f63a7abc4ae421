"""Signs that billing works, judged without writing: from the facts of a host. Answers are findings.

Unknown where the facts don't hold what a sign needs: another schema, a clock that has just started.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from lago_acceptance import stores
from lago_acceptance.errors import Unknown
from lago_acceptance.facts import Container, Facts
from lago_acceptance.findings import Finding
from lago_acceptance.roles import API, CLOCK, DB, PDF, WORKER
from lago_acceptance.sidekiq import Sidekiq

MINUTE, HOUR = 60, 3600


class Sign(msgspec.Struct, frozen=True):
    """A question that readings/facts.sql asks, and what it means when the answer is not none."""

    name: str
    id: str
    role: str
    wrong: str
    leads_to: str
    mend: str


GENERATING = Sign(
    "invoices_generating",
    "invoices-generating",
    WORKER,
    "{count} invoices are being generated since {since}, longer than 15 minutes",
    "they are neither shown nor paid, and their customers are not billed",
    "look for the error of their job in the worker's log and in the dead set; "
    "retry_generating_subscription_invoices takes "
    "them up again at half past each hour",
)
FAILED = Sign(
    "invoices_failed",
    "invoices-failed",
    WORKER,
    "{count} invoices have failed, the oldest on {since}",
    "their customers are not billed until somebody retries",
    "open them in the web UI, mend what they name (tax provider, as a rule), and press Retry",
)
WITHOUT_FILE = Sign(
    "invoices_without_file",
    "invoices-without-file",
    PDF,
    "{count} invoices of the last 35 days are finalized and have no file, the oldest since {since}",
    "customers get no PDF; the API gives file_url null",
    "look at the PDF service, LAGO_PDF_URL of the worker and the storage volume; then POST "
    "/api/v1/invoices/ID/download",
)
UNBILLED = Sign(
    "subscriptions_unbilled",
    "subscriptions-unbilled",
    CLOCK,
    "{count} active subscriptions whose period has ended have no invoice for it, the first since {since}",
    "nobody pays for that period",
    "look at the clock (schedule:bill_customers at ten past each hour) and at the worker's queue `billing` "
    "and dead set",
)
PENDING = Sign(
    "subscriptions_pending",
    "subscriptions-pending",
    CLOCK,
    "{count} subscriptions are pending although their day has come, the first on {since}",
    "the customer has ordered and nothing is counted or billed",
    "look at the clock (schedule:activate_subscriptions every five minutes) and at the worker",
)
WEBHOOKS = Sign(
    "webhooks_failed",
    "webhooks-failed",
    WORKER,
    "{count} webhooks of the last 24 hours were given up, the first on {since} (answers: {some})",
    "the receiver does not know of invoices, payments and subscriptions that these told of",
    "mend the receiver or its URL (GET /api/v1/webhook_endpoints), then retry them in the web UI under "
    "Developers",
)


def of_database(facts: Facts, sign: Sign) -> list[Finding]:
    """The finding of a sign that PostgreSQL tells."""
    answer = stores.database(facts).get(sign.name)
    if answer is None:
        raise Unknown(f"this database can't tell it: {_reason(facts.database_error)}")
    if not answer["count"]:
        return []
    values = {
        "count": answer["count"],
        "since": _time(answer["oldest"]),
        "some": ", ".join(str(each) for each in answer["some"] or ()),
    }
    some = "" if "{some}" in sign.wrong else f": {values['some']}"
    return [
        Finding(
            id=sign.id,
            role=sign.role,
            wrong=sign.wrong.format(**values) + some,
            leads_to=sign.leads_to,
            mend=sign.mend,
        )
    ]


def _reason(error: str) -> str:
    return error[:200] or "it gave no answer"


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M UTC")


# --- jobs ---


def died(jobs: Sidekiq, since: float) -> list[Finding]:
    """Jobs that died after a time (Unix time)."""
    classes: dict[str, list[dict[str, Any]]] = {}
    for job in jobs.dead:
        if job["at"] > since:
            classes.setdefault(job["class"], []).append(job)
    return [
        Finding(
            id="jobs-died",
            role=WORKER,
            wrong=f"{len(dead)} {name} died"
            + (f" since {_time(since)}" if since else "")
            + f": {dead[0]['error'][:150]}",
            leads_to="Lago does not try again: the invoice, webhook or file that they were for is missing",
            mend="mend what the message names, then run them again from the dead set, and compare invoices",
        )
        for name, dead in classes.items()
    ]


# --- the clock's schedules (Lago sheet, section 1.7) ---

BILLING = {"bill_customers": 70 * MINUTE}
EVERY_FIVE_MINUTES = {
    name: 11 * MINUTE
    for name in (
        "activate_subscriptions",
        "refresh_draft_invoices",
        "refresh_lifetime_usages",
        "refresh_wallets_ongoing_balance",
    )
}
EVERY_HOUR = {
    name: 70 * MINUTE
    for name in (
        "terminate_ended_subscriptions",
        "post_validate_events",
        "api_keys_track_usage",
        "compute_daily_usage",
        "finalize_invoices",
        "mark_invoices_as_payment_overdue",
        "retry_generating_subscription_invoices",
        "terminate_coupons",
        "bill_ended_trial_subscriptions",
        "terminate_wallets",
        "process_dunning_campaigns",
        "termination_alert",
        "top_up_wallet_interval_credits",
    )
}
_FINISHED = re.compile(r"Finished 'schedule:(\w+)' .*error=(.*)$")


def late_schedules(facts: Facts, clock: Container, schedules: dict[str, int]) -> list[Finding]:
    """Schedules that the clock has not enqueued within their time (seconds), by its own log.

    Unknown where the clock, or what is left of its log, is younger than that time.
    """
    lines = facts.stamped_log(clock)
    started = facts.started_at(clock)
    seen_since = max(started, lines[0][0] if lines else facts.host_clock)
    known = {
        name
        for _, text in lines
        if "Starting clock for" in text
        for name in re.findall(r"schedule:(\w+)", text)
    }
    findings, unsure = [], []
    for name, seconds in schedules.items():
        if known and name not in known:
            continue
        finished = [
            (at, found[2]) for at, text in lines if (found := _FINISHED.search(text)) and found[1] == name
        ]
        well = [at for at, error in finished if error.strip() == "nil"]
        age = facts.host_clock - well[-1] if well else None
        if age is not None and age <= seconds:
            continue
        if age is None and facts.host_clock - seen_since <= seconds:
            unsure.append(f"{name} ({seconds // MINUTE} min)")
            continue
        error = next((error for at, error in reversed(finished) if error.strip() != "nil"), "")
        last = f"for {age / MINUTE:.0f} minutes" if age is not None else f"since {_time(seen_since)}"
        findings.append(
            Finding(
                id="schedule-late",
                role=CLOCK,
                service=clock.service.name,
                wrong=f"schedule:{name} was not enqueued {last}, and is due every "
                f"{60 if seconds > HOUR else 5} minutes" + (f": {error[:150]}" if error else ""),
                leads_to="no recurring invoice is made"
                if name == "bill_customers"
                else "what it is for does not happen",
                mend="look at the clock's log and at Redis; restart the clock",
            )
        )
    if unsure and not findings:
        raise Unknown(
            f"the clock's log begins at {_time(seen_since)}, later than these schedules may be apart: "
            f"{', '.join(unsure)}"
        )
    return findings


# --- the host ---


def images_moved(facts: Facts) -> Iterator[Finding]:
    """Containers whose image's name stands for another image by now."""
    for container in facts.containers:
        name = container.service.image
        digest = name.partition("@")[2]
        for image in facts.images:
            named = name in image.names or f"{name}:latest" in image.names
            if (
                named or (digest and any(each.endswith(digest) for each in image.names))
            ) and image.id != container.image_id:
                yield Finding(
                    id="image-moved",
                    role=container.role,
                    service=container.service.name,
                    wrong=f"{name} stands for another image ({image.id[:19]}) than the one that runs "
                    f"({container.image_id[:19]})",
                    leads_to="the next recreate changes the version, at a time that nobody chose",
                    mend="deploy it (docker compose up -d), or pin the image by its digest",
                )


def big_logs(facts: Facts, mib: int) -> Iterator[Finding]:
    """Containers whose log files take more than this many MiB."""
    for container in facts.containers:
        size = facts.log_sizes.get(container.id, 0) / 2**20
        if size > mib:
            yield Finding(
                id="log-too-big",
                role=container.role,
                service=container.service.name,
                wrong=f"its log takes {size:.0f} MiB, more than {mib}",
                leads_to="the disk fills, and PostgreSQL stops with it",
                mend="rotate it: logging driver json-file with max-size and max-file, as in "
                "compose/docker-compose.lago.yml; "
                "then recreate the container",
            )


def clock_drift(facts: Facts, limit: float) -> list[Finding]:
    """A host whose clock is further from this machine's than the way there explains."""
    if abs(facts.clock_drift) <= limit:
        return []
    ahead = "ahead of" if facts.clock_drift > 0 else "behind"
    return [
        Finding(
            id="clock-drift",
            wrong=f"the host's clock is at least {abs(facts.clock_drift):.0f} s {ahead} this machine's",
            leads_to="periods end and tokens expire at the wrong time, and usage is counted into the wrong "
            "period",
            mend="turn on time synchronisation there (timedatectl set-ntp true), and look at this "
            "machine's, too",
        )
    ]


def last_dump(facts: Facts, pattern: str, hours: float) -> list[Finding]:
    """No dump, an old one, or one with nothing in it."""
    wrong = None
    if not facts.dumps:
        wrong = f"no file fits {pattern}"
    else:
        last = facts.dumps[-1]
        age = (facts.host_clock - last.written) / HOUR
        if age > hours:
            wrong = f"the last dump, {last.path}, is {age:.0f} hours old, more than {hours:g}"
        elif not last.size:
            wrong = f"the last dump, {last.path}, is empty"
    if wrong is None:
        return []
    return [
        Finding(
            id="dump-old",
            role=DB,
            wrong=wrong,
            leads_to="what happened since then is lost with the disk: invoices can't be made anew",
            mend="look at the timer that dumps (docker exec lago-db pg_dump …), at its log and at free space",
        )
    ]


def doubled_names(facts: Facts) -> Iterator[Finding]:
    """Names of this Lago that another stack's container answers to on a network that both are on."""
    ours = {
        (network, name): container
        for container in facts.containers
        if container.running and container.role == API
        for network, name in _names(container)
    }
    for other in facts.others:
        for network, name in _names(other) if other.running else ():
            if (container := ours.get((network, name))) is not None:
                yield Finding(
                    id="two-lago-stacks",
                    role=container.role,
                    service=container.service.name,
                    wrong=f"on the network {network}, {name} is both {container.name} and {other.name}",
                    leads_to="who asks that name reaches one or the other, from request to request",
                    mend="remove the stack that is not meant, or take one of them off that network",
                )


def _names(container: Container) -> Iterator[tuple[str, str]]:
    for network in container.addresses:
        key = network.removeprefix(f"{container.project}_")
        for name in container.service.networks.get(key, ()):
            if not container.id.startswith(name):
                yield network, name
