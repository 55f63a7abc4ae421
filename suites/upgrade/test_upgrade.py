"""Upgrade: what an upgrade of Lago needs from the schema, the data, the jobs and the disk of the host that runs. Reads only."""

from __future__ import annotations

import pytest

from lago_acceptance.checks.upgrade import constraints, jobs, others, room, schema

pytestmark = [pytest.mark.upgrade, pytest.mark.phase8]


def test_the_schema_is_that_of_a_release_and_of_the_image(upgrade_facts, settings, judge):
    judge(schema.is_a_releases(upgrade_facts, settings))


def test_the_schema_has_nothing_of_others(upgrade_facts, judge):
    judge(others.are_not_in_the_way(upgrade_facts))


def test_the_data_holds_what_the_next_release_validates(upgrade_facts, upgrade_to, judge):
    judge(constraints.hold(upgrade_facts, upgrade_to))


def test_the_jobs_that_fill_data_in_have_run(upgrade_facts, upgrade_to, judge):
    judge(jobs.have_run(upgrade_facts, upgrade_to))


def test_there_is_room_for_a_dump_and_a_copy(upgrade_facts, judge):
    judge(room.is_there(upgrade_facts))
