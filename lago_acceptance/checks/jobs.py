"""Checks of Sidekiq's sets of jobs: those that died, are retried, and wait for their time."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute, since
from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.redis_answers import DeadJob, DueJob, WaitingJobs
from lago_acceptance.facts.sidekiq import moment
from lago_acceptance.facts.types import Facts

# Seconds; a worker looks every few.
_OVERDUE = 120


@registry.check(phase=2, errors={"jobs-died": "No job has died since the last run."})
def none_died_since(facts: Facts, last_run: float | None) -> Iterator[Finding]:
    """Sidekiq's dead set has no job that died after the last run (Unix time by the host's clock; None: there was none).

    Lago does not retry dead jobs.
    """
    jobs = availability.jobs(facts)
    if last_run is None:
        raise Unknown(
            f"this is the first run against this host: {len(jobs.dead)} jobs are dead, and the next run will "
            "compare with that",
            why="this is the first run against this host",
            fix="run again with the same --reports folder; the next run compares",
        )
    classes: dict[str, list[DeadJob]] = {}
    for job in jobs.dead:
        if job.at > last_run:
            classes.setdefault(job.name, []).append(job)
    for name, dead in classes.items():
        since = f" since {minute(last_run)}" if last_run else ""
        yield Finding(
            id="jobs-died",
            role=WORKER,
            problem=f"{len(dead)} {name} died{since}: {dead[0].error[:150]}",
            impact="Lago does not retry them: the invoice, webhook or PDF that they should have produced is missing",
            fix="fix what the error names, retry them from the dead set, and check the invoices",
        )


@registry.check(
    phase=2,
    errors={"jobs-overdue": "Jobs that wait for their time are started when it comes."},
    warnings={
        "jobs-failing": "Few jobs are being retried, and none for long.",
        "jobs-scheduled": "Not more jobs than usual wait for their time.",
    },
)
def start_when_due(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """No job of Sidekiq's retry and schedule sets has been due for longer than two minutes, and the sets are below
    limits.retry_jobs, limits.retry_age and limits.scheduled_jobs.

    Any living worker moves jobs that are due to their queues, every few seconds.
    """
    jobs = availability.worked_jobs(facts)
    if jobs.retry is None or jobs.schedule is None:
        raise Unknown(
            "Redis did not report Sidekiq's retry and schedule sets",
            why="Redis did not report Sidekiq's retry and schedule sets",
            fix="look at them: ZCARD retry, ZRANGE schedule 0 0 WITHSCORES; something else may use these keys",
        )
    worker = facts.running(WORKER)
    name = worker.name if worker else "the worker"
    now = facts.host_clock
    for waiting, which in ((jobs.schedule, "schedule"), (jobs.retry, "retry")):
        due = waiting.first.due if waiting.first else None
        if waiting.first and due is not None and now - due > _OVERDUE:
            known = moment(due, now)
            yield Finding(
                id="jobs-overdue",
                role=WORKER,
                problem=f"{waiting.overdue or 1} of {waiting.count} jobs in Sidekiq's {which} set are overdue, the first "
                f"({waiting.first.name})"
                + (f" {since(known, now)}" if known else " at a time that makes no sense"),
                impact="nobody starts what was scheduled or is to be retried: webhooks, terminations and retries don't happen",
                fix=f"read docker logs {name} for `Error fetching scheduled jobs` or NOPERM, then docker restart {name}",
            )
    yield from _failing(jobs.retry, settings, now, name)
    if jobs.schedule.count > settings.limits.scheduled_jobs:
        yield Finding(
            id="jobs-scheduled",
            role=WORKER,
            problem=f"{jobs.schedule.count} jobs wait for their time, more than limits.scheduled_jobs "
            f"({settings.limits.scheduled_jobs})",
            impact="when they are due together, other jobs wait behind them",
            fix="see which class they are (ZRANGE schedule 0 9), and raise limits.scheduled_jobs if that is usual here",
        )


def _failing(retry: WaitingJobs, settings: Settings, now: float, name: str) -> Iterator[Finding]:
    """The finding of a retry set that is too large, or whose oldest job fails for too long."""
    limits = settings.limits
    failing = moment(retry.failing, now) if retry.failing else None
    old = failing is not None and now - failing > limits.retry_age
    if retry.count <= limits.retry_jobs and not old:
        return
    first = retry.first or DueJob()
    yield Finding(
        id="jobs-failing",
        role=WORKER,
        problem=f"{retry.count} jobs are being retried"
        + (f", the oldest fails {since(failing, now)}" if failing else "")
        + f"; the next is {first.name}"
        + (f": {first.error[:150]}" if first.error else ""),
        impact="their work isn't done: the invoice, payment or webhook behind each is missing until a retry succeeds",
        fix=f"fix what the error names; docker logs {name} has its backtrace",
    )
