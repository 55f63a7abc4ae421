"""Phase 2: the worker reads the queues that the API fills, and finishes jobs."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import processes, queues, worker

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_a_worker_is_alive_where_the_api_enqueues(facts, judge):
    judge(worker.listens_where_the_api_enqueues(facts))


def test_the_workers_take_jobs(facts, judge):
    judge(processes.take_jobs(facts))


def test_the_workers_are_the_deployments_own(facts, settings, judge):
    judge(processes.are_the_deployments_own(facts, settings))


def test_the_workers_finish_their_jobs(facts, settings, judge):
    judge(processes.finish_their_jobs(facts, settings))


def test_the_worker_has_finished_a_job(facts, judge):
    judge(worker.has_finished_a_job(facts))


def test_the_worker_ends_when_it_is_stopped(facts, judge):
    judge(worker.ends_when_it_is_stopped(facts))


def test_every_queue_is_read_in_time(facts, settings, judge):
    judge(queues.are_read_in_time(facts, settings))


def test_lago_reads_its_files_as_they_are(facts, judge):
    judge(worker.reads_its_files_as_they_are(facts))
