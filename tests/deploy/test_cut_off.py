"""Deploys that are cut off, at each step: the host goes back by itself, or as soon as somebody asks."""

from __future__ import annotations

import pytest

from lago_acceptance.core.waiting import until
from tests.support.deploy import command, moments
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]


def state_of(host):
    return host.counts(), host.files()


def settled(folder):
    return moments.journal(folder)[-1:] == [("undone", "-")]


def assert_as_before(host, before):
    """The old version is back, with its data, and can be deployed to."""
    host.await_routes()
    assert state_of(host) == before
    assert moments.lock_is_free(host)
    shown = command.run("status", host)
    assert shown.code == 0, shown.output
    assert "undone" in shown.output


# --- the runner ---


def killed(host, checkout, what, step):
    """Deploy, and kill the runner at an event of a step."""
    before = state_of(host)
    with moments.running(host, checkout) as deploy:
        folder = deploy.await_event(what, step)
        deploy.kill()
    assert until(lambda: settled(folder), PATIENCE), moments.journal(folder)
    assert until(lambda: moments.lock_is_free(host), PATIENCE)
    assert_as_before(host, before)


@pytest.mark.parametrize("step", moments.steps("quiet"))
def test_the_host_goes_back_when_the_runner_is_killed(breakable, checkout, step):
    killed(breakable, checkout, "begin", step)


@pytest.mark.exhaustive
def test_the_host_goes_back_when_the_runner_is_killed_during_its_checks(breakable, checkout):
    killed(breakable, checkout, "done", "work")


def test_the_host_goes_back_when_the_runner_falls_silent(breakable, checkout):
    before = state_of(breakable)
    with moments.running(breakable, checkout) as deploy:
        folder = deploy.await_event("begin", "keep")
        deploy.fall_silent()
        assert until(lambda: settled(folder), PATIENCE), moments.journal(folder)
    assert_as_before(breakable, before)


# --- the host ---


def cut_off(host, checkout, function, how):
    """Deploy, and have the host end at a function; the deploy says that it was cut off."""
    with moments.ahead_of(function, how):
        ended = command.deploy(host, checkout)
    assert ended.code == 1, ended.output[-4000:]
    assert "lago-acceptance status" in ended.output
    assert "Traceback" not in ended.output


def back_when_asked(host, checkout, step, how):
    """Cut a deploy off at a step, and ask the host to go back."""
    before = state_of(host)
    cut_off(host, checkout, f"change_{step}", how)
    shown = command.run("status", host)
    assert shown.code == 1
    assert f"was cut off in the step {step}," in shown.output
    undone = command.run("rollback", host)
    assert undone.code == 0, undone.output
    assert f"which was cut off in the step {step}, was undone" in undone.output
    assert_as_before(host, before)


@pytest.mark.parametrize("step", moments.steps("work"))
def test_a_host_whose_program_is_killed_goes_back_when_asked(breakable, checkout, step):
    back_when_asked(breakable, checkout, step, moments.DIES)


@pytest.mark.exhaustive
def test_a_host_whose_program_is_killed_at_the_end_of_a_step_goes_back_when_asked(breakable, checkout):
    back_when_asked(breakable, checkout, "files", moments.DIES_AFTER)


@pytest.mark.parametrize("step", ["dump", "up"])
@pytest.mark.exhaustive
def test_a_host_that_loses_its_power_goes_back_when_asked(breakable, checkout, step):
    back_when_asked(breakable, checkout, step, moments.LOSES_POWER)


@pytest.mark.exhaustive
def test_the_next_deploy_undoes_one_that_was_cut_off(breakable, checkout):
    before = state_of(breakable)
    cut_off(breakable, checkout, "change_up", moments.DIES)
    ended = command.deploy(breakable, checkout)
    assert ended.code == 0, ended.output[-4000:]
    assert "was cut off in the step up: rolling back to the previous version" in ended.output
    assert state_of(breakable)[0] == before[0]


@pytest.mark.exhaustive
def test_an_undoing_that_is_cut_off_is_finished(breakable, checkout):
    before = state_of(breakable)
    cut_off(breakable, checkout, "change_stores", moments.DIES)
    with moments.each_time(breakable, "undo_dump", moments.DIES):
        assert command.run("rollback", breakable).code != 0
    undone = command.run("rollback", breakable)
    assert undone.code == 0, undone.output
    assert_as_before(breakable, before)
