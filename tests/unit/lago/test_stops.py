"""Stops and constraints agree with the releases, and with the tasks and jobs that the source has at each of them."""

from __future__ import annotations

import re

import pytest

from lago_acceptance.lago.filling import MODULE, Job, RakeTask, jobs, tasks
from lago_acceptance.lago.release_table import Release, is_misnumbered, releases, same_schema
from lago_acceptance.lago.upgrades import Constraint, Proof, Stop, constraints, numbers, stops
from lago_acceptance.lago.workers import workers_of

KEYWORDS = {"IS", "NOT", "NULL", "AND", "OR", "TRUE", "FALSE"}
_WORD = re.compile(r"[A-Za-z_]\w*")

every_stop = pytest.mark.parametrize("stop", stops(), ids=lambda each: each.tag)
every_constraint = pytest.mark.parametrize(
    "constraint", constraints(), ids=lambda each: f"{each.table}.{each.column}"
)
every_proof = pytest.mark.parametrize(
    "proof",
    [
        *(each.proof for each in constraints() if each.undone),
        *(proof for stop in stops() for proof in (*stop.proof, *stop.left)),
    ],
    ids=lambda each: f"{each.table} {each.undone}",
)


def job_at(name: str, release: Release) -> Job | None:
    """The form that a job has at a release, None if it has none. ``name`` may have its module before it."""
    bare = name.removeprefix(MODULE)
    return next((each for each in jobs() if each.job == bare and _holds(each, release)), None)


def task_at(name: str, release: Release) -> RakeTask | None:
    """The form that a task has at a release, None if it has none."""
    return next((each for each in tasks() if each.task == name and _holds(each, release)), None)


def _holds(form: Job | RakeTask, release: Release) -> bool:
    at = same_schema(release).numbers
    return numbers(form.since) <= at and not (form.until and numbers(form.until) <= at)


def release(tag: str) -> Release:
    return releases()[numbers(tag)]


def test_stops_and_constraints_are_in_the_order_of_the_releases():
    assert [each.version for each in stops()] == sorted(each.version for each in stops())
    required = [numbers(each.required_from) for each in constraints()]
    assert required == sorted(required)


@every_stop
def test_a_stop_is_a_release_and_required_by_a_later_one(stop: Stop):
    assert not is_misnumbered(release(stop.tag))
    assert not stop.required_by or release(stop.required_by).age > release(stop.tag).age


@every_stop
def test_what_requires_a_stop_validates_what_it_fills(stop: Stop):
    """A stop that is required has proofs, so that a walk can see that it is done."""
    assert bool(stop.required_by) == bool(stop.proofs)


@every_stop
def test_a_stops_tasks_exist_there_with_these_arguments_and_jobs(stop: Stop):
    for task in stop.task:
        for name in re.findall(r"(?:migrations|upgrade):\w+", task.command.replace("${provider}", "stripe")):
            form = task_at(name, release(stop.tag))
            assert form, f"{name} doesn't exist at {stop.tag}"
            assert ("[" in task.command) == bool(form.arguments)
            assert not task.jobs or set(form.jobs) <= {each.removeprefix(MODULE) for each in task.jobs}


@every_stop
def test_every_job_of_a_stop_is_in_the_queue_of_that_releases_worker(stop: Stop):
    named = {job for task in stop.task for job in task.jobs}
    named |= {f"{MODULE}{job}" for each in stop.constraints for job in each.filled_by}
    assert all(each.startswith(MODULE) for each in named)
    read = {
        queue
        for worker in workers_of(release(stop.tag)).values()
        if not worker.switch
        for queue in worker.queues
    }
    for name in named:
        form = job_at(name, release(stop.tag))
        assert form, f"{name} doesn't exist at {stop.tag}"
        assert form.queue in read


@every_stop
def test_jobs_that_a_command_calls_by_name_are_listed(stop: Stop):
    for task in stop.task:
        called = re.findall(r"(DatabaseMigrations::\w+)\.perform", task.command)
        assert not called or list(task.jobs) == called


@every_constraint
def test_the_release_that_requires_a_constraint_has_its_migration(constraint: Constraint):
    """Its number may be older than the newest one of the release before: branches are merged in another order."""
    assert constraint.migration <= release(constraint.required_from).newest_migration


@every_constraint
def test_a_constraints_jobs_fill_its_column(constraint: Constraint):
    filling = {
        each.job for each in jobs() if each.table == constraint.table and constraint.column in each.columns
    }
    assert set(constraint.filled_by) == filling
    assert all(release(tag) for tag in constraint.job_since.split(",") if tag)
    assert not constraint.column_since or release(constraint.column_since)


@every_constraint
def test_what_a_job_fills_can_be_asked_for(constraint: Constraint):
    assert not constraint.filled_by or constraint.undone


def test_each_required_constraint_with_a_job_is_a_stops():
    required = {each.required_by for each in stops()}
    assert {each.required_from for each in constraints() if each.filled_by} == required - {""}


@every_proof
def test_a_proof_is_one_condition_on_columns_of_its_table(proof: Proof):
    assert re.fullmatch(r"[a-z_]+", proof.table)
    assert proof.undone.count("(") == proof.undone.count(")")
    assert not re.search(r";|--|'|/\*", proof.undone)
    words = set(_WORD.findall(proof.undone)) - KEYWORDS
    assert words, "no column is asked for"
    assert all(each.islower() for each in words), "a keyword or column in the wrong case"
    assert set(proof.columns) <= words
    assert proof.statement == f"SELECT count(*) FROM {proof.table} WHERE {proof.undone}"


def test_forms_of_jobs_and_tasks_follow_each_other():
    for each in (*jobs(), *tasks()):
        assert release(each.since)
        assert not each.until or release(each.until).age > release(each.since).age


@pytest.mark.parametrize(
    ("tag", "jobs"),
    [
        ("v1.31.0", None),
        ("v1.32.0", ("PopulatePaymentsWithCustomerId",)),
        ("v1.41.3", ("PopulateWalletsWithCodeJob",)),
        ("v1.42.0", ("BackfillChargesCodeJob", "BackfillFixedChargesCodeJob")),
        ("v1.51.0", ("BackfillLastReceivedEventOnJob",)),
    ],
)
def test_one_task_does_something_else_at_each_release(tag, jobs):
    form = task_at("upgrade:perform_required_jobs", release(tag))
    assert (form.jobs if form else None) == jobs


def test_the_release_that_is_newer_than_its_number_has_the_jobs_of_its_schema():
    assert job_at("PopulateWebhooksWithOrganizationJob", release("v1.16.1"))
    assert not job_at("PopulateWebhooksWithOrganizationJob", release("v1.16.0"))
