"""Deploys that are cut off: the host goes back by itself."""

from __future__ import annotations

import pytest

from lago_acceptance.core.waiting import until
from tests.support.deploy import command, moments
from tests.support.deploy import host as hosts
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]


def settled(folder, how):
    return moments.journal(folder)[-1:] == [(how, "-")]


def as_before(host, counts, files):
    """Whether the old version is back, with its data, and can be deployed to."""
    host.await_routes()
    assert host.counts() == counts
    assert {name: (host.folder / name).read_bytes() for name in hosts.FILES} == files
    assert moments.lock_is_free(host)
    shown = command.run("status", host)
    assert shown.code == 0, shown.output
    assert "undone" in shown.output
    return True


def state_of(host):
    return host.counts(), {name: (host.folder / name).read_bytes() for name in hosts.FILES}


@pytest.mark.parametrize(
    ("what", "step"), [("begin", "keep"), ("begin", "dump"), ("begin", "up"), ("done", "work")]
)
def test_the_host_goes_back_when_the_runner_is_killed(breakable, checkout, what, step):
    before = state_of(breakable)
    with moments.running(breakable, checkout) as deploy:
        folder = deploy.await_event(what, step)
        deploy.kill()
    assert until(lambda: settled(folder, "undone"), PATIENCE), moments.journal(folder)
    assert until(lambda: moments.lock_is_free(breakable), PATIENCE)
    assert as_before(breakable, *before)
