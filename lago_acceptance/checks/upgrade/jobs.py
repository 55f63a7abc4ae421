"""Check of the jobs that fill data in for an upgrade: none has died, and none was forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.checks.upgrade import (
    Aim,
    aim_of,
    answers,
    command,
    is_open,
    lacks,
    listed,
    stop_before,
    whole,
)
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import moment as moment_text
from lago_acceptance.core.moments import since
from lago_acceptance.core.registry import Severity, Vantage
from lago_acceptance.core.roles import DB, WORKER
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.sidekiq import Sidekiq, moment
from lago_acceptance.facts.sidekiq_answers import FillingJob
from lago_acceptance.facts.types import Facts
from lago_acceptance.facts.upgrade import Amount
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.filling import MODULE
from lago_acceptance.lago.release_table import Release
from lago_acceptance.lago.upgrades import Constraint, Stop

DEAD, NEVER = "upgrade-job-dead", "upgrade-job-never-started"
_RUNS = "runs"


@registry.check(
    phase=8,
    vantage=(Vantage.LIVE,),
    errors={
        "upgrade-job-dead": "No job that fills data in has died before it was done.",
        "upgrade-job-never-started": "The jobs of the stops that were passed have been started.",
    },
    warnings={"upgrade-job-waiting": "No job that fills data in waits, is retried or runs."},
)
def have_run(facts: Facts, to: Release | None) -> Iterator[Finding]:
    """The jobs that the stops ask for (DatabaseMigrations::…) have done their work: none waits, is retried, runs or has died,
    and none is missing where rows are left.
    """
    aim = aim_of(facts, to)
    whole(facts, "which jobs are due between two releases isn't known")
    jobs = _jobs(facts)
    open_ = [each for each in aim.due if is_open(answers(facts), each) and each.filled_by]
    yield from _dead(facts, jobs)
    waiting = [each for each in jobs if each.place != "dead"]
    if waiting:
        yield Finding(
            id="upgrade-job-waiting",
            role=WORKER,
            problem=f"jobs that fill data in are not done: {listed(_words(facts, each) for each in waiting)}",
            impact="what they fill in is validated by later releases, and an upgrade before they end fails",
            fix="wait until they have ended, with a worker that reads their queue, and run this again",
        )
    forgotten = [each for each in open_ if told_by(facts, each) == NEVER]
    for required_from in dict.fromkeys(each.required_from for each in forgotten):
        of_release = [each for each in forgotten if each.required_from == required_from]
        yield _never(facts, aim, required_from, of_release)
    yield from _left_at_stops(facts, aim, jobs)


def _jobs(facts: Facts) -> tuple[FillingJob, ...]:
    """The jobs that fill data in, wherever they are. Blocked or Unknown where Redis did not tell."""
    sidekiq = availability.jobs(facts)
    if sidekiq.filling is None:
        raise Unknown(
            "Redis did not report the jobs that fill data in",
            why="Redis did not report the jobs that fill data in",
            fix="allow LRANGE and ZREVRANGE to the user in REDIS_URL",
        )
    named = {job for stop in upgrades.stops() for task in stop.task for job in task.jobs}
    wanted = (
        each
        for each in (*sidekiq.filling, *_running(sidekiq))
        if each.name in named or each.name.startswith(MODULE)
    )
    return tuple(wanted)


def _running(sidekiq: Sidekiq) -> list[FillingJob]:
    return [
        FillingJob(each.name, _RUNS, 1, "", each.since)
        for process in sidekiq.processes
        for each in process.work
    ]


def _seen(facts: Facts) -> tuple[FillingJob, ...] | None:
    try:
        return _jobs(facts)
    except (Blocked, Unknown):
        return None


def _of(constraint: Constraint, jobs: tuple[FillingJob, ...]) -> list[FillingJob]:
    names = {f"{MODULE}{each}" for each in constraint.filled_by}
    return [each for each in jobs if each.name in names]


def told_by(facts: Facts, constraint: Constraint) -> str:
    """The id of the finding about jobs that tells of a constraint that is open, "" where none does."""
    jobs = _seen(facts)
    if jobs is None or not constraint.filled_by or not is_open(answers(facts), constraint):
        return ""
    places = {each.place for each in _of(constraint, jobs)}
    if not places:
        return NEVER
    return DEAD if places == {"dead"} else ""


def job_of(facts: Facts, constraint: Constraint) -> str:
    """Where the jobs are that fill in what a constraint asks for, "" where none is under way or that isn't known."""
    found = [each for each in _of(constraint, _seen(facts) or ()) if each.place != "dead"]
    return listed(_words(facts, each) for each in found)


def _words(facts: Facts, job: FillingJob) -> str:
    at = moment(job.at, facts.host_clock)
    if job.place == _RUNS:
        return f"{job.name} runs" + (f", {since(at, facts.host_clock)}" if at else "")
    if job.place == "retry":
        return f"{job.count} {job.name} retried after: {job.error[:150] or 'no message'}"
    if job.place == "schedule":
        return f"{job.count} {job.name} wait for their time"
    waits = f", {since(at, facts.host_clock)}" if at else ""
    return f"{job.count} {job.name} in the {job.place}{waits}"


def _dead(facts: Facts, jobs: tuple[FillingJob, ...]) -> Iterator[Finding]:
    for job in (each for each in jobs if each.place == "dead"):
        at = moment(job.at, facts.host_clock)
        known = [each for each in upgrades.constraints() if job.name.removeprefix(MODULE) in each.filled_by]
        texts = lacks(answers(facts), known)
        stop = _stop_of(job, known)
        yield Finding(
            id=DEAD,
            role=WORKER,
            severity=Severity.ERROR if texts else Severity.WARNING,
            problem=f"{job.count} {job.name} died"
            + (f", the last one {moment_text(at, facts.host_clock)}" if at else "")
            + f": {job.error[:150] or 'no message'}"
            + (f"; {listed(texts)}" if texts else ""),
            impact="what it should have filled in is missing, and a later release's migrations end half-way on it; Lago does not "
            "retry it"
            if texts
            else _impact_without_rows(facts, known),
            fix="repair what its error names, start it again "
            + (f"({command(facts, stop)})" if stop else "from the dead set")
            + ", and run this again"
            if texts or not known
            else "delete it from the dead set (LAGO_SIDEKIQ_WEB, or ZREM dead)",
        )


def _impact_without_rows(facts: Facts, known: list[Constraint]) -> str:
    """The impact of a dead job where no row is known that it should have filled in."""
    parts = [answers(facts).part(each.proof) for each in known]
    if not known:
        return (
            "what it should have filled in is missing, although no release known here refuses to start for it"
        )
    if not any(each.there for each in parts):
        return "none: it is of a later release than this database's, which has not got what it fills in"
    if all(each.left == Amount(0) for each in parts if each.there):
        return "none any more: what it should have filled in is there"
    return "whether what it should have filled in is there could not be counted"


def _stop_of(job: FillingJob, known: list[Constraint]) -> Stop | None:
    by_job = (each for each in upgrades.stops() for task in each.task if job.name in task.jobs)
    by_need = (each for each in upgrades.stops() for need in known if each.required_by == need.required_from)
    return next(by_job, None) or next(by_need, None)


def _never(facts: Facts, aim: Aim, required_from: str, forgotten: list[Constraint]) -> Finding:
    stop = stop_before(required_from)
    return Finding(
        id=NEVER,
        role=DB,
        problem=f"{listed(lacks(answers(facts), forgotten))}, and no job that fills this in waits, runs or has died: it was never started, or ended early",
        impact=f"the migrations of {required_from} end with PG::CheckViolation at {forgotten[0].migration}, with the schema "
        f"between two releases: {upgrades.HALF_MIGRATED}",
        fix=(f"run {command(facts, stop)} while a worker of that release runs" if stop else "fill it in")
        + f"; then run this again before you deploy {aim.next.tag}",
    )


def _left_at_stops(facts: Facts, aim: Aim, jobs: tuple[FillingJob, ...]) -> Iterator[Finding]:
    """What stops that were passed have left, although no known release validates it."""
    found = answers(facts)
    for stop in aim.reached:
        under_way = {each.name for each in jobs} & {job for task in stop.task for job in task.jobs}
        if (texts := lacks(found, stop.proof)) and not under_way:
            yield Finding(
                id=NEVER,
                role=DB,
                severity=Severity.WARNING,
                problem=f"what {stop.tag} asks for has not been done, or not to its end: {listed(texts)}",
                impact=f"{stop.data}: missing, although no release known here refuses to start for it",
                fix=f"run {command(facts, stop)}",
            )
