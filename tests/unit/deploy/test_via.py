"""An upgrade that is walked over its stops, on a host that is pretended: what is deployed, filled in and written down."""

from __future__ import annotations

import hashlib
import logging
import types

import msgspec
import pytest
import yaml

from lago_acceptance.cli import deploy as command
from lago_acceptance.core import waivers
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.roles import API, DB
from lago_acceptance.core.settings import load
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy import filling, judgement, plan, session, state, version, via, via_plan
from lago_acceptance.deploy.deploy import Order
from lago_acceptance.deploy.rehearsal_checks import Verdict
from lago_acceptance.deploy.rollout import NotDeployed
from lago_acceptance.deploy.state import Event, HostState, PastDeploy, Upgrade
from lago_acceptance.deploy.version import NewVersion
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, LagoProcess
from lago_acceptance.hosts.base import CommandResult
from lago_acceptance.lago.upgrade_path import stop_at
from tests.support.deploy.planned import PLAN, old_file
from tests.support.facts import container, facts

NAMED = ("--settings", str(SETTINGS))
OWN, ORDER, PERMIT = load(SETTINGS), Order(folder=None, settings_file=SETTINGS), Permit("deploy --via")
NO_WAIVERS = waivers.for_run(None, SETTINGS)
FILE = OWN.deployment.compose_file
AGAIN = "lago-acceptance deploy ssh://root@host DIR --via"
MIB = 2**20


def _files(release: str) -> dict[str, bytes]:
    return {FILE: f"services:\n  lago-api:\n    image: getlago/api:{release}\n".encode()}


class World:
    """A host as the walk sees it. ``done`` has what was done there, in order; ``fails`` names what fails."""

    name = "host"

    def __init__(self) -> None:
        self.runs, self.wanted = "v1.16.0", "v1.26.0"
        self.upgrade: Upgrade | None = None
        self.deploys: tuple[PastDeploy, ...] = ()
        self.done: list[str] = []
        self.fails: dict[str, str] = {}
        self.absent: set[str] = set()
        self.errors: list[Finding] = []
        self.verdict = Verdict([], [], [], 10)
        self.migrations, self.in_image = 408, 408
        self.size, self.free = 100 * MIB, 1000 * MIB

    # What the walk asks and does.

    def observe(self, *_: object, **__: object):
        address = {"DATABASE_URL": "postgresql://lago:secret@lago-db:5432/lago"}
        api = container(API, address)
        api = msgspec.structs.replace(
            api, service=msgspec.structs.replace(api.service, image=f"getlago/api:{self.runs}")
        )
        return facts(
            api,
            container(DB),
            project="lago",
            database=DatabaseAnswers(migrations=AppliedMigrations(self.migrations, "20241119110219")),
            lago={api.id: LagoProcess(migrations=("1", "20241119110219"), migration_count=self.in_image)},
        )

    def plan(self, _: object, given: NewVersion, *__: object) -> plan.Plan:
        old = _files(self.runs)
        document = yaml.safe_load((old | given.files)[FILE])
        images = [service["image"] for service in document["services"].values()]
        return msgspec.structs.replace(
            PLAN,
            new=given.files,
            old={path: old_file(content) for path, content in old.items()},
            document=document,
            images={
                image: "" if image in self.absent else hashlib.sha256(image.encode()).hexdigest()
                for image in images
            },
        )

    def state(self, *_: object) -> HostState:
        return HostState("", self.deploys, self.upgrade)

    def read(self, command: object) -> str:
        return f"{self.size}\n{self.free}\n"

    def change(self, command, permit) -> CommandResult:
        image = command.arguments[-1]
        if command.arguments[0] == "rm":
            self.done.append(f"rm {image}")
            return CommandResult(0, "")
        self.done.append(f"pull {image}")
        if image in self.fails:
            return CommandResult(1, self.fails[image])
        self.absent.discard(image)
        return CommandResult(0, "")


class Pretended:
    """A rollout that changes the world alone."""

    def __init__(self, world: World, planned: plan.Plan, steps, more: dict[str, str], ahead):
        self.world, self.planned, self.steps, self.more, self.ahead = world, planned, steps, more, ahead
        self.id, self.downtime = "20261128-000000-abcdef", 12.0
        self.before = world.runs

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _do(self, what: str) -> None:
        self.world.done.append(what)
        if self.world.fails.get(what) == "Ctrl-C":
            raise KeyboardInterrupt
        if what in self.world.fails:
            self.undo(self.world.fails[what])

    def run(self) -> None:
        image = yaml.safe_load(self.planned.new[FILE])["services"]["lago-api"]["image"]
        self.world.runs = image.rpartition(":")[2]
        for stop in self.ahead:
            self._do(f"ahead {stop.tag}")
        self._do(f"deploy {self.world.runs}")

    def fill(self) -> filling.Result:
        assert self.more["fill_tasks"]
        self._do(f"fill {self.world.runs}")
        return filling.Result((filling.Filled("no fee is without an organization", 7, 3),), 4)

    def take(self, step) -> None:
        if step is via.DUMP:
            self._do(f"dump {self.world.runs}")
            return
        assert step is via.MARK
        more = self.more
        self.world.upgrade = (
            Upgrade(
                more["walk_to"],
                more["walk_from"],
                min(int(more["walk_begun"]), 5),
                more["walk_first"] or self.id,
                more["walk_at"],
                6,
            )
            if more["walk_to"]
            else None
        )

    def accept(self) -> None:
        self.world.done.append("accept")

    def undo(self, cause: str) -> None:
        self.world.runs = self.before
        raise NotDeployed(f"{cause}. The old version is running again.")


@pytest.fixture
def world(monkeypatch):
    made = World()
    for each in (via, via_plan):
        monkeypatch.setattr(each, "observe", made.observe)
    monkeypatch.setattr(plan, "read", made.plan)
    monkeypatch.setattr(state, "read", made.state)
    monkeypatch.setattr(version, "of_folder", lambda folder, _: NewVersion(folder, _files(made.wanted)))
    monkeypatch.setattr(judgement, "errors", lambda *_: made.errors)
    monkeypatch.setattr(via, "judged", lambda *_: made.verdict)
    monkeypatch.setattr(via_plan.preconditions, "problems", lambda *_: [])
    monkeypatch.setattr(
        via,
        "Rollout",
        lambda host, permit, deployment, planned, seen, wishes, steps, more, ahead: Pretended(
            made, planned, steps, more, ahead
        ),
    )
    return made


def _walk(world: World, one: bool = False) -> bool:
    """Whether the last deploy is next."""
    return via.walk(world, PERMIT, OWN, NO_WAIVERS, ORDER, one=one, again=AGAIN) is not None


# --- walking ---


def test_each_stop_is_deployed_and_filled_in_and_the_last_is_left_to_the_checks(world):
    assert _walk(world)
    assert world.done == ["deploy v1.25.0", "fill v1.25.0", "accept"]
    assert world.upgrade == Upgrade("v1.26.0", "v1.16.0", 5, "20261128-000000-abcdef", "v1.25.0", 6)


def test_a_longer_way_has_more_stops(world):
    world.wanted = "v1.32.0"
    assert _walk(world)
    assert [each for each in world.done if each != "accept"] == [
        "deploy v1.25.0", "fill v1.25.0", "deploy v1.29.0", "fill v1.29.0",
    ]  # fmt: skip
    assert world.upgrade and (world.upgrade.had, world.upgrade.at) == ("v1.16.0", "v1.29.0")


def test_one_stop_at_a_time_goes_on_where_the_last_call_ended(world):
    world.wanted = "v1.32.0"
    assert not _walk(world, one=True)
    assert world.runs == "v1.25.0"
    assert not _walk(world, one=True)
    assert world.runs == "v1.29.0"
    # What is left is the last deploy.
    assert _walk(world, one=True)
    assert world.done.count("accept") == 2


def test_a_stop_that_runs_already_is_filled_in_first(world):
    world.runs = "v1.25.0"
    assert _walk(world)
    assert world.done == ["dump v1.25.0", "fill v1.25.0", "accept"]


def test_a_release_that_runs_already_is_deployed_as_ever(world):
    world.runs = world.wanted
    assert _walk(world)
    assert not world.done


def test_the_last_release_is_filled_in_too_and_ends_the_upgrade(world):
    world.runs, world.upgrade = "v1.29.0", Upgrade("v1.29.0", "v1.16.0", 5, "first", "v1.25.0", 6)
    via.arrive(world, PERMIT, OWN, ORDER)
    assert world.done == ["fill v1.29.0", "accept"]
    assert world.upgrade is None


def test_a_release_that_is_no_stop_only_ends_the_upgrade(world):
    world.runs = "v1.26.0"
    via.arrive(world, PERMIT, OWN, ORDER)
    assert world.done == [f"rm {OWN.deployment.directory}/.lago-acceptance/upgrade"]


# --- what fails ---


@pytest.mark.parametrize(
    ("fails", "runs", "done"),
    [
        ("deploy v1.25.0", "v1.16.0", ["deploy v1.25.0"]),
        ("fill v1.25.0", "v1.16.0", ["deploy v1.25.0", "fill v1.25.0"]),
        ("deploy v1.29.0", "v1.25.0", ["deploy v1.25.0", "fill v1.25.0", "accept", "deploy v1.29.0"]),
    ],
)
def test_a_stop_that_fails_leaves_the_one_before_and_says_how_to_go_on(world, fails, runs, done):
    world.wanted, world.fails = "v1.32.0", {fails: "a job died"}
    with pytest.raises(NotDeployed) as failed:
        _walk(world)
    assert str(failed.value).splitlines() == [
        "a job died. The old version is running again.",
        f"The upgrade to v1.32.0 is at {runs}. Once the cause is removed, go on with: {AGAIN}",
    ]
    assert world.runs == runs
    assert world.done == done


def test_an_interrupt_says_how_to_go_on(world, caplog):
    world.fails = {"fill v1.25.0": "Ctrl-C"}
    with caplog.at_level(logging.INFO), pytest.raises(KeyboardInterrupt):
        _walk(world)
    assert caplog.messages[-1] == f"interrupted: the upgrade to v1.26.0 is at v1.16.0; go on with: {AGAIN}"


def test_a_stop_that_checks_refuse_is_undone(world):
    world.verdict = Verdict(["the schema is not the image's"], [], [], 10)
    with pytest.raises(NotDeployed, match=r"v1\.25\.0 runs, but the schema is not the image's\. The old"):
        _walk(world)
    assert world.runs == "v1.16.0"
    assert "fill v1.25.0" not in world.done


def test_images_are_pulled_before_anything_changes(world):
    world.absent = {"getlago/api:v1.25.0", "getlago/api:v1.26.0"}
    assert _walk(world)
    assert world.done[:2] == ["pull getlago/api:v1.25.0", "pull getlago/api:v1.26.0"]


def test_an_image_that_cannot_be_had_ends_it_before_anything_changes(world):
    world.absent = {"getlago/api:v1.26.0"}
    world.fails = {"getlago/api:v1.26.0": "Error response from daemon: not found"}
    with pytest.raises(
        NotDeployed, match=r"(?s)v1\.26\.0 can't be pulled: .*not found\nNothing was changed\."
    ):
        _walk(world)
    assert world.done == ["pull getlago/api:v1.26.0"]


def test_the_last_image_does_the_work_of_a_stop_whose_own_cannot_be_had(world, caplog):
    world.absent = {"getlago/api:v1.25.0"}
    world.fails = {"getlago/api:v1.25.0": "manifest unknown"}
    with caplog.at_level(logging.INFO):
        ahead = via.walk(world, PERMIT, OWN, NO_WAIVERS, ORDER, one=False, again=AGAIN)
    assert [each.tag for each in ahead or ()] == ["v1.25.0"]
    assert world.done == ["pull getlago/api:v1.25.0"]
    assert "the image of v1.26.0 does the work of v1.25.0" in caplog.text


def test_the_next_stops_image_does_the_work_of_a_stop_whose_own_cannot_be_had(world):
    world.wanted, world.absent = "v1.32.0", {"getlago/api:v1.25.0"}
    world.fails = {"getlago/api:v1.25.0": "manifest unknown"}
    assert via.walk(world, PERMIT, OWN, NO_WAIVERS, ORDER, one=False, again=AGAIN) == ()
    assert world.done == [
        "pull getlago/api:v1.25.0", "ahead v1.25.0", "deploy v1.29.0", "fill v1.29.0", "accept",
    ]  # fmt: skip
    assert world.upgrade and (world.upgrade.had, world.upgrade.at) == ("v1.16.0", "v1.29.0")


@pytest.mark.parametrize("missing", [("v1.29.0",), ("v1.25.0", "v1.29.0")])
def test_no_later_image_does_the_work_of_a_stop_whose_task_it_lacks(world, missing):
    world.wanted, world.absent = "v1.32.0", {f"getlago/api:{each}" for each in missing}
    world.fails = dict.fromkeys(world.absent, "manifest unknown")
    with pytest.raises(NotDeployed, match=r"(?s)can't be pulled: manifest unknown\nNothing was changed\."):
        _walk(world)
    assert [each for each in world.done if not each.startswith("pull")] == []


def test_a_database_between_two_releases_is_not_walked_from(world):
    world.migrations = 491
    with pytest.raises(NotDeployed, match=r"does not have the schema of v1\.16\.0.*it has 491 migrations"):
        _walk(world)
    assert not world.done


def test_dumps_of_all_stops_must_fit(world):
    world.wanted, world.free = "v1.32.0", 299 * MIB
    with pytest.raises(NotDeployed, match="3 dumps may need 300 MiB, and 299 MiB are free"):
        _walk(world)
    # A dump of before says how large one gets.
    world.deploys = (PastDeploy("20261127-000000-abcdef", dump=10 * MIB),)
    assert _walk(world)


def test_what_the_gate_refuses_is_said_of_each_stop_before_anything_changes(world):
    world.errors = [
        Finding(id="hardcoded-secret", role=API, problem="a secret", impact="it leaks", fix="move it")
    ]
    with pytest.raises(NotDeployed) as refused:
        _walk(world)
    first, *more = str(refused.value).splitlines()
    assert first == "Nothing was changed:"
    assert [line.partition(":")[0] for line in more if "the gate refuses" in line] == ["v1.25.0", "v1.26.0"]
    assert not world.done


def test_a_way_back_is_a_sentence(world):
    world.runs, world.wanted = "v1.26.0", "v1.16.0"
    with pytest.raises(UsageError, match=r"v1\.16\.0 is older than v1\.26\.0"):
        _walk(world)


def test_an_image_without_a_release_is_a_sentence(world):
    world.runs = "latest"
    with pytest.raises(UsageError, match="getlago/api:latest, names no release of Lago"):
        _walk(world)


def test_files_whose_images_do_not_move_are_refused(world, monkeypatch):
    monkeypatch.setattr(via_plan, "moved", lambda *_: {})
    with pytest.raises(
        NotDeployed, match=r"v1\.25\.0: the files would run getlago/api:v1\.26\.0 as lago-api"
    ):
        _walk(world)
    assert not world.done


def test_somebody_elses_deploy_is_not_disturbed(world, monkeypatch):
    monkeypatch.setattr(state, "read", lambda *_: HostState("somebody", ()))
    with pytest.raises(session.Locked, match="is being changed by somebody"):
        _walk(world)
    assert not world.done


# --- what is shown ---


def test_a_plan_shows_each_stop_with_its_diff_and_tasks_and_changes_nothing(world):
    world.absent = {"getlago/api:v1.26.0"}
    text = "\n".join(via_plan.prepare(world, OWN, NO_WAIVERS, ORDER).lines())
    assert "from v1.16.0 to v1.26.0: v1.25.0 → v1.26.0" in text
    assert "1. v1.25.0: deploy" in text
    assert "-    image: getlago/api:v1.16.0" in text
    assert "+    image: getlago/api:v1.25.0" in text
    # Each is compared with the one before.
    assert "-    image: getlago/api:v1.25.0" in text
    assert "PopulateFeesWithBillingEntityIdJob" in text
    assert "image getlago/api:v1.26.0: to be pulled" in text
    assert "downtime: " in text
    assert not world.done


def test_status_shows_how_far_an_upgrade_is(monkeypatch, capsys, world):
    world.upgrade = Upgrade("v1.32.0", "v1.16.0", 0, "first", "v1.25.0", 60)
    assert command.status(["local", *NAMED]) == 0
    assert (
        "upgrade from v1.16.0 to v1.32.0, begun 1970-01-01 00:00 UTC: at v1.25.0 since 1970-01-01 00:01 UTC, next v1.29.0: "
        "lago-acceptance deploy local DIR --via next"
    ) in capsys.readouterr().out


def test_what_only_filled_in_data_is_no_deploy_to_return_from():
    deployed, filled = (
        PastDeploy(id, tuple(Event(1, what, step) for what, step in events))
        for id, events in (
            ("20261127-000000-abcdef", (("begin", "keep"), ("done", "keep"), ("accepted", "-"))),
            (
                "20261127-000001-abcdef",
                (("begin", "dump"), ("begin", "fill"), ("begin", "mark"), ("accepted", "-")),
            ),
        )
    )
    assert HostState("", (deployed, filled)).latest is deployed


# --- the command ---


@pytest.fixture
def walked(monkeypatch):
    """What the command has asked for; ``ahead`` are the stops that are left to the last deploy, None where that is not next."""
    seen = types.SimpleNamespace(ahead=(), calls=[], code=0, arguments=[])

    def walk(*_: object, one: bool, again: str) -> tuple | None:
        seen.calls.append(f"walk {'one' if one else 'all'}: {again}")
        return seen.ahead

    def checked(arguments: list[str]) -> int:
        seen.calls.append("checks")
        assert "upgrade-skips-a-stop" in arguments
        seen.arguments = arguments
        return seen.code

    monkeypatch.setattr(via, "walk", walk)
    monkeypatch.setattr(via, "arrive", lambda *_: seen.calls.append("arrive"))
    monkeypatch.setattr(version, "of_folder", lambda *_: seen.calls.append("files"))
    seen.checked = checked
    return seen


def test_a_folder_that_is_not_there_is_said_before_the_host_is_asked_for(walked, tmp_path, monkeypatch):
    monkeypatch.undo()
    with pytest.raises(UsageError, match="is not a folder; give the one that"):
        command.run(["ssh://root@192.0.2.1", str(tmp_path / "none"), "--via"], walked.checked)
    assert walked.calls == []


def test_the_command_walks_then_checks_then_arrives(walked, tmp_path):
    assert command.run(["ssh://root@host", str(tmp_path), "--via", *NAMED], walked.checked) == 0
    again = f"lago-acceptance deploy ssh://root@host {tmp_path} --via"
    assert walked.calls == ["files", f"walk all: {again}", "checks", "arrive"]


def test_what_the_last_deploy_has_to_do_ahead_is_passed_on(walked, tmp_path):
    walked.ahead = (stop_at("v1.25.0"),)
    assert command.run(["ssh://root@host", str(tmp_path), "--via", *NAMED], walked.checked) == 0
    assert walked.arguments[-2:] == ["--with-stop", "v1.25.0"]


def test_red_checks_of_the_last_deploy_are_the_commands_end(walked, tmp_path):
    walked.code = 1
    assert command.run(["ssh://root@host", str(tmp_path), "--via", *NAMED], walked.checked) == 1
    assert walked.calls[2:] == ["checks"]


def test_a_stop_on_the_way_ends_the_command(walked, tmp_path):
    walked.ahead = None
    assert command.run(["ssh://root@host", str(tmp_path), "--via", "next", *NAMED], walked.checked) == 0
    assert walked.calls[1:] == [f"walk one: lago-acceptance deploy ssh://root@host {tmp_path} --via next"]


def test_a_folder_after_the_option_is_a_sentence(walked, tmp_path):
    with pytest.raises(UsageError, match="--via"):
        command.run(["ssh://root@host", "--via", str(tmp_path)], walked.checked)
