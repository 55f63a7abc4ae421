"""Checks of Sidekiq's dead jobs."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import minute
from lago_acceptance.core.roles import WORKER
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.redis_answers import DeadJob
from lago_acceptance.facts.types import Facts


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
