"""Phase 2: there is one Lago on the host, and the host has what it needs."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import dumps, host, machine

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_no_other_stack_answers_to_lagos_names(facts, judge):
    judge(host.no_other_stack_has_its_names(facts))


def test_images_are_what_their_names_stand_for(facts, judge):
    judge(host.images_are_what_their_names_say(facts))


def test_logs_are_rotated(facts, settings, judge):
    judge(host.logs_are_rotated(facts, settings))


def test_the_hosts_clock_is_right(facts, settings, judge):
    judge(host.clock_is_right(facts, settings))


def test_the_last_dump_is_recent(facts, settings, judge):
    judge(host.last_dump_is_recent(facts, settings))


def test_the_last_dump_can_be_restored(facts, settings, judge):
    judge(dumps.last_dump_can_be_restored(facts, settings))


def test_inodes_are_left(facts, settings, judge):
    judge(machine.inodes_are_left(facts, settings))


def test_memory_is_left(facts, settings, judge):
    judge(machine.memory_is_left(facts, settings))


def test_the_kernel_killed_nothing_for_lack_of_memory(facts, judge):
    judge(machine.nothing_was_killed_for_memory(facts))


def test_logs_inside_containers_are_small(facts, settings, judge):
    judge(machine.logs_inside_are_small(facts, settings))


def test_docker_is_started_at_boot(facts, deployment, judge):
    judge(() if deployment.bring_up else machine.docker_is_started_at_boot(facts))
