"""Phase 2: every service is there once, runs, is healthy, and is what the files on the host say."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import drift, environment, host, services

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_the_stack_came_up(deployment, facts, judge):
    judge(services.stack_came_up(facts, deployment.bring_up and deployment.bring_up.failed))


def test_each_service_runs_exactly_once(facts, judge):
    judge(services.each_service_runs_once(facts))


def test_every_service_is_up_and_healthy(facts, judge):
    judge(services.are_up_and_healthy(facts))


def test_no_fatal_line_is_in_the_logs(facts, settings, judge):
    judge(services.log_nothing_fatal(facts, settings))


def test_what_runs_is_what_the_files_say(facts, judge):
    judge(drift.containers_match_their_files(facts))


def test_each_container_is_on_the_networks_of_its_file(facts, deployment, judge):
    judge(drift.containers_are_on_their_networks(facts, deployment.network))


def test_lagos_processes_agree(facts, judge):
    judge(environment.lagos_processes_agree(facts))


def test_api_and_front_are_where_proxy_and_gateway_look_for_them(facts, deployment, settings, judge):
    judge(services.are_on_their_networks(facts, deployment.network, settings))


def test_the_disk_has_room(facts, settings, judge):
    judge(host.disks_have_room(facts, settings))
