"""What a deploy does before it changes anything, and when it changes nothing."""

from __future__ import annotations

import msgspec
import pytest

from lago_acceptance.cli import deploy as command
from lago_acceptance.core import waivers
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy import deploy, judgement, plan, session, state
from lago_acceptance.deploy.rollout import NotDeployed
from lago_acceptance.deploy.session import Outcome
from lago_acceptance.deploy.state import Event, HostState, PastDeploy
from lago_acceptance.deploy.steps import DEPLOY, QUICK_DEPLOY
from lago_acceptance.hosts.local import LocalHost
from tests.support.deploy.planned import PLAN, facts_at
from tests.support.facts import facts

HOST, PERMIT, OWN = LocalHost(), Permit("--deploy"), load(SETTINGS)
ORDER = deploy.Order(folder=None, settings_file=SETTINGS)
NO_WAIVERS = waivers.for_run(None, SETTINGS)
CUT_OFF = PastDeploy(
    "20261127-000000-abcdef", (Event(1, "opened", "-"), Event(2, "begin", "keep"), Event(3, "begin", "stop"))
)


class Started(Exception):
    """A rollout was begun."""


@pytest.fixture
def world(monkeypatch):
    """A host as the deploy sees it; what a test sets of it is seen."""
    seen = {"state": HostState("", ()), "plan": PLAN, "errors": [], "settled": Outcome(0, ())}
    calls = []

    def settle(*which):
        calls.append(which[-1])
        return seen["settled"]

    def rollout(*given, ahead):
        assert ahead == ()
        raise Started(given[-1])

    monkeypatch.setattr(state, "read", lambda *_: seen["state"])
    monkeypatch.setattr(plan, "read", lambda *_: seen["plan"])
    monkeypatch.setattr(judgement, "errors", lambda *_: seen["errors"])
    monkeypatch.setattr(session, "settle", settle)
    monkeypatch.setattr(deploy, "observe", lambda *_, **__: facts(project="lago"))
    monkeypatch.setattr(deploy, "Rollout", rollout)
    seen["calls"] = calls
    return seen


def _start():
    return deploy.start(HOST, PERMIT, OWN, NO_WAIVERS, ORDER)


def test_where_all_of_it_is_there_nothing_is_begun(world):
    assert _start() is None


def test_what_answers_is_stopped_in_order_and_what_does_not_is_not(world):
    world["plan"] = msgspec.structs.replace(PLAN, hashes=PLAN.hashes | {"lago-api": "another"})
    with pytest.raises(Started) as begun:
        _start()
    assert begun.value.args == (DEPLOY,)
    world["plan"] = msgspec.structs.replace(PLAN, hashes=PLAN.hashes | {"lago-front": "another"})
    with pytest.raises(Started) as begun:
        _start()
    assert begun.value.args == (QUICK_DEPLOY,)


def test_a_first_deploy_has_nothing_to_stop(world):
    world["plan"] = msgspec.structs.replace(PLAN, containers=())
    with pytest.raises(Started) as begun:
        _start()
    assert begun.value.args == (QUICK_DEPLOY,)


def test_somebody_elses_change_is_not_disturbed(world):
    world["state"] = HostState("somebody, elsewhere", (CUT_OFF,))
    with pytest.raises(session.Locked, match="is being changed by somebody, elsewhere"):
        _start()
    assert not world["calls"]


def test_a_deploy_that_was_cut_off_is_undone_first(world):
    world["state"] = HostState("", (CUT_OFF,))
    assert _start() is None
    assert world["calls"] == [CUT_OFF.id]


def test_where_that_fails_nothing_else_is_begun(world):
    world["state"] = HostState("", (CUT_OFF,))
    world["settled"] = Outcome(1, ("the disk is full",))
    world["plan"] = msgspec.structs.replace(PLAN, hashes={})
    with pytest.raises(
        NotDeployed, match="(?s)was cut off, and could not be undone: the disk is full.*Nothing else"
    ):
        _start()


def test_everything_that_speaks_against_it_is_said_at_once(world):
    world["plan"] = msgspec.structs.replace(PLAN, networks=(), listening=(3010,), hashes={})
    with pytest.raises(NotDeployed) as refused:
        _start()
    first, *more = str(refused.value).splitlines()
    assert "Nothing was changed" in first
    assert any("dokploy-network" in line for line in more)
    assert any("3010" in line for line in more)


def test_a_schema_that_the_image_does_not_fit_refuses_it_with_the_way_to_deploy_it_anyway(world, monkeypatch):
    monkeypatch.setattr(deploy, "observe", lambda *_, **__: facts_at("v1.26.0"))
    with pytest.raises(
        NotDeployed,
        match=r"(?s)the database refuses the new image: \[image-goes-back\].*--despite image-goes-back",
    ):
        _start()
    order = msgspec.structs.replace(ORDER, wishes=deploy.Wishes(despite=frozenset(("image-goes-back",))))
    assert deploy.start(HOST, PERMIT, OWN, NO_WAIVERS, order) is None


def test_what_files_and_schema_both_show_is_said_once(world, monkeypatch):
    monkeypatch.setattr(deploy, "observe", lambda *_, **__: facts_at("v1.26.0"))
    world["errors"] = [
        Finding(id="image-goes-back", problem="it goes back", impact="no billing", fix="go on")
    ]
    with pytest.raises(NotDeployed) as refused:
        _start()
    assert "the gate refuses the new files: [image-goes-back]" in str(refused.value)
    assert "the database refuses" not in str(refused.value)


def test_a_plan_names_who_is_at_it_and_what_was_cut_off(world):
    world["state"] = HostState("somebody", (CUT_OFF,))
    lines = list(deploy.prepare(HOST, OWN, NO_WAIVERS, ORDER).lines())
    assert any("somebody" in line for line in lines)
    assert any(CUT_OFF.id in line and "stop" in line for line in lines)


def test_an_id_that_nothing_has_is_a_sentence(world):
    order = msgspec.structs.replace(ORDER, wishes=deploy.Wishes(despite=frozenset(("rsa-key-change",))))
    with pytest.raises(UsageError, match="--despite rsa-key-change: there is no finding .*rsa-key-changed"):
        deploy.start(HOST, PERMIT, OWN, NO_WAIVERS, order)


# --- the command ---


def never(arguments):
    """A run that must not begin."""
    raise AssertionError(arguments)


def test_the_command_deploys_and_lets_checks_decide(tmp_path):
    given = ["ssh://root@host", str(tmp_path), "--despite", "rsa-key-changed", "--overwrite", "-x"]
    ran: list[list[str]] = []
    assert command.run(given, lambda arguments: ran.append(arguments) or 0) == 0
    [arguments] = ran
    joined = " ".join(arguments)
    assert "--target live --hosts ssh://root@host" in joined
    assert f"--deploy {tmp_path} " in joined
    assert "--despite rsa-key-changed" in joined
    assert "--overwrite" in arguments
    assert arguments[-1] == "-x"
    assert "not writes" in arguments[arguments.index("-m") + 1]


def test_a_command_without_a_host_is_a_sentence():
    with pytest.raises(UsageError, match="HOST"):
        command.run([], never)


def test_this_machine_is_reached_by_ssh_too():
    with pytest.raises(UsageError, match="give ssh://root@HOST"):
        command.run(["local"], never)
