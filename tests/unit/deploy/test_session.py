"""The lock on a deployment, and what happens to what was begun under it. Without Docker: the step that puts files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess

import pytest

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.core.waiting import until
from lago_acceptance.deploy import session, state
from lago_acceptance.deploy.session import Locked, Outcome, Session
from lago_acceptance.deploy.steps import FILES, MARK, MARK_BACK, Step
from lago_acceptance.hosts.local import LocalHost
from tests.support.patience import PATIENCE

HOST, PERMIT = LocalHost(), Permit("--deploy")
# A function that isn't there.
FAILS = 127
FAILING = Step("nonsense", "doing nothing", "nothing was done", 20)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "compose.yml").write_text("old")
    (tmp_path / "compose.yml").chmod(0o640)
    return tmp_path


def _session(folder, id="20261127-000000-abcdef", more=None) -> Session:
    settings = {
        "who": "somebody, somewhere",
        "directory": str(folder),
        "undo_seconds": "20",
        "deploy_id": id,
    } | (more or {})
    opened = Session(HOST, PERMIT, str(folder), id, settings)
    backup = folder / session.STATE / "deploys" / id / "backup"
    (backup / "files").mkdir(parents=True)
    (backup / "files" / "compose.yml").write_text("old")
    (backup / "modes").write_text("640\tcompose.yml\nabsent\tnew file\n")
    opened.put("compose.yml", b"new")
    opened.put("new file", b"\0\xff")
    return opened


def _is_old(folder) -> bool:
    mode = (folder / "compose.yml").stat().st_mode & 0o777
    return ((folder / "compose.yml").read_text(), mode, (folder / "new file").exists()) == (
        "old",
        0o640,
        False,
    )


def _last(folder) -> str:
    return state.read(HOST, str(folder)).deploys[-1].ended


def test_files_are_put_for_their_owner_alone_and_stay_once_accepted(folder):
    opened = _session(folder)
    before = os.umask(0)
    try:
        assert opened.step(FILES).code == 0
    finally:
        os.umask(before)
    opened.accept()
    opened.close()
    assert (folder / "compose.yml").read_text() == "new"
    assert (folder / "new file").read_bytes() == b"\0\xff"
    for each in ("compose.yml", "new file", session.STATE + "/lock", session.STATE):
        assert (folder / each).stat().st_mode & 0o077 == 0, each
    assert _last(folder) == state.ACCEPTED
    assert not list(folder.glob(".lago-acceptance.*"))


def test_undoing_puts_the_old_files_back(folder):
    opened = _session(folder)
    opened.step(FILES)
    assert opened.undo().code == 0
    opened.close()
    assert _is_old(folder)
    assert _last(folder) == state.UNDONE


def test_a_file_that_stays_the_same_gets_its_old_mode_back(folder):
    opened = _session(folder)
    opened.put("compose.yml", b"old")
    inode = (folder / "compose.yml").stat().st_ino
    opened.step(FILES)
    assert (folder / "compose.yml").stat().st_mode & 0o777 == 0o600
    assert opened.undo().code == 0
    opened.close()
    assert _is_old(folder)
    # A container that mounts it goes on seeing it.
    assert (folder / "compose.yml").stat().st_ino == inode


@pytest.mark.parametrize(
    ("code", "lines", "why"),
    [
        (1, ("the cause", ""), "the cause"),
        (3, (), "exit code 3"),
        (124, ("half of it",), "it took longer than 90 s"),
        (137, (), "it took longer than 90 s"),
    ],
)
def test_what_failed_says_why(code, lines, why):
    assert Outcome(code, lines).why(90) == why


def test_an_answer_that_nobody_waited_for_is_not_that_of_the_next_request(folder, monkeypatch):
    opened = _session(folder)

    def interrupted(seconds: float) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(opened._channel, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            opened.step(FAILING)
    assert opened.undo().code != FAILS
    assert opened.step(FAILING).code == FAILS
    opened.close()


MARKS = {
    "walk_to": "v1.32.0",
    "walk_from": "v1.16.0",
    "walk_begun": "5",
    "walk_first": "",
    "walk_at": "v1.25.0",
}
FIRST, SECOND = "20261127-000000-abcdef", "20261127-000001-abcdef"


def test_how_far_an_upgrade_is_is_written_down_and_undone(folder):
    opened = _session(folder, FIRST, MARKS)
    (folder / session.STATE / "deploys" / FIRST / "backup" / "database.dump").write_text("PGDMP")
    assert opened.step(MARK).code == 0
    opened.accept()
    opened.close()
    upgrade = state.read(HOST, str(folder)).upgrade
    assert upgrade
    assert (upgrade.target, upgrade.had, upgrade.first, upgrade.at) == (
        "v1.32.0",
        "v1.16.0",
        FIRST,
        "v1.25.0",
    )
    further = MARKS | {"walk_at": "v1.29.0", "walk_first": upgrade.first, "walk_begun": str(upgrade.begun)}
    opened = _session(folder, SECOND, further)
    assert opened.step(MARK).code == 0
    now = state.read(HOST, str(folder)).upgrade
    assert now and (now.at, now.begun, now.first) == ("v1.29.0", upgrade.begun, FIRST)
    assert opened.undo().code == 0
    opened.close()
    assert state.read(HOST, str(folder)).upgrade == upgrade


def test_going_back_to_a_backup_goes_back_on_the_way_too(folder):
    opened = _session(folder, FIRST, MARKS)
    opened.step(MARK)
    opened.accept()
    opened.close()
    before = folder / session.STATE / "deploys" / FIRST / "backup"
    opened = _session(folder, SECOND, {"from_backup": str(before)})
    shutil.copy2(folder / session.STATE / "upgrade", before.parents[1] / SECOND / "backup" / "upgrade")
    assert opened.step(MARK_BACK).code == 0
    assert state.read(HOST, str(folder)).upgrade is None
    assert opened.undo().code == 0
    opened.close()
    assert state.read(HOST, str(folder)).upgrade


def test_an_upgrade_that_has_arrived_leaves_no_mark_and_one_that_never_began_none(folder):
    opened = _session(folder, FIRST, MARKS)
    opened.step(MARK)
    assert opened.undo().code == 0
    opened.close()
    assert state.read(HOST, str(folder)).upgrade is None
    opened = _session(folder, SECOND, MARKS | {"walk_to": ""})
    assert opened.step(MARK).code == 0
    opened.accept()
    opened.close()
    assert state.read(HOST, str(folder)).upgrade is None


def test_the_dump_with_which_an_upgrade_began_is_not_pruned_before_it_has_arrived(folder):
    prune = {"kept_backups": "1"}
    for id in (FIRST, SECOND):
        opened = _session(folder, id, MARKS | prune | {"walk_first": FIRST})
        assert opened.step(MARK).code == 0
        opened.accept()
        opened.close()
    assert [each.id for each in state.read(HOST, str(folder)).deploys] == [FIRST, SECOND]
    opened = _session(folder, "20261127-000002-abcdef", prune | {"walk_to": ""})
    assert opened.step(MARK).code == 0
    opened.accept()
    opened.close()
    assert [each.id for each in state.read(HOST, str(folder)).deploys] == ["20261127-000002-abcdef"]


def test_whoever_goes_silent_leaves_the_old_version(folder):
    opened = _session(folder)
    opened.step(FILES)
    opened.close()
    assert _is_old(folder)
    assert _last(folder) == state.UNDONE


def test_a_program_that_is_killed_is_seen_and_can_be_settled(folder):
    opened = _session(folder)
    opened.step(FILES)
    os.killpg(opened._channel._process.pid, signal.SIGKILL)
    opened.close()
    found = state.read(HOST, str(folder))
    assert found.unsettled is not None
    assert (found.unsettled.ended, found.unsettled.begun, found.holder) == (state.CUT_OFF, ("files",), "")
    assert session.settle(HOST, PERMIT, str(folder), found.unsettled.id).code == 0
    assert _is_old(folder)
    assert _last(folder) == state.UNDONE


def test_settling_twice_does_no_harm(folder):
    opened = _session(folder)
    opened.step(FILES)
    opened.close()
    assert session.settle(HOST, PERMIT, str(folder), opened.id).code == 0
    assert _is_old(folder)


def test_two_at_once_are_refused_by_name(folder):
    opened = _session(folder)
    assert state.read(HOST, str(folder)).holder == "somebody, somewhere"
    with pytest.raises(Locked, match="is being changed by somebody, somewhere"):
        _session(folder, "20261127-000001-abcdef")
    opened.close()
    _session(folder, "20261127-000002-abcdef").close()


def test_a_lock_that_nobody_holds_is_no_obstacle(folder):
    (folder / session.STATE).mkdir()
    (folder / session.STATE / "lock").touch()
    (folder / session.STATE / "holder").write_text("long gone")
    assert state.read(HOST, str(folder)).holder == ""
    _session(folder).close()


def test_a_step_that_outlives_its_program_keeps_the_lock(folder):
    opened = _session(folder)
    keeper = subprocess.Popen(["flock", str(folder / session.STATE / "lock"), "true"])
    assert keeper.poll() is None
    opened.close()
    assert keeper.wait(PATIENCE) == 0


def test_a_step_that_fails_says_why(folder):
    opened = _session(folder)
    failed = opened.step(FAILING)
    assert failed.code == 127
    assert "change_nonsense" in failed.last
    opened.close()
    # Nothing knows how to undo it: that is said, and not taken for done.
    assert _last(folder) == state.STUCK


def test_what_could_not_be_undone_is_not_tried_again_unasked(folder):
    opened = _session(folder)
    opened.step(FAILING)
    assert opened.undo().code == 1
    opened.close()
    [deploy] = state.read(HOST, str(folder)).deploys
    assert [event.what for event in deploy.events].count("undoing") == 1
    assert deploy.unsettled


def test_the_backups_of_the_last_deploys_are_kept(folder, monkeypatch):
    programs = folder / "programs"
    programs.mkdir()
    (programs / "docker").write_text(f'#!/bin/sh\necho "$@" >>{programs}/called\necho kept/api:$3\n')
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    deploys = folder / session.STATE / "deploys"
    for number, last in enumerate(("accepted", "undone", "begun", "accepted", "accepted")):
        old = deploys / f"2026112{number}-000000-abcdef"
        old.mkdir(parents=True)
        (old / "journal").write_text(f"1\topened\t-\n2\t{last}\t-\n")
    opened = _session(folder, more={"kept_backups": "2", "deploy_id": "20261127-000000-abcdef"})
    opened.step(FILES)
    opened.accept()
    opened.close()
    # One that was cut off may have to be undone yet.
    assert sorted(each.name[:8] for each in deploys.iterdir()) == ["20261122", "20261124", "20261127"]
    called = (programs / "called").read_text()
    assert "lago-acceptance-backup/*:20261120-000000-abcdef" in called
    assert "20261124" not in called


def test_a_step_that_takes_too_long_is_ended(folder):
    opened = _session(folder)
    folder_of_deploy = folder / session.STATE / "deploys" / opened.id
    (folder_of_deploy / "slow.part.sh").write_text("change_slow() { sleep 60; }\nundo_slow() { :; }\n")
    assert opened.step(Step("slow", "waiting", "it did not wait", 1)).code == 124
    opened.close()
    assert _last(folder) == state.UNDONE


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="there is no folder"):
        Session(HOST, PERMIT, str(tmp_path / "nowhere"), "id", {"who": "me"})


def test_what_is_printed_has_no_secret_and_may_lack_a_line_feed(folder):
    opened = _session(folder)
    folder_of_deploy = folder / session.STATE / "deploys" / opened.id
    (folder_of_deploy / "talk.part.sh").write_text(
        "ask_talk() { printf 'a\\nPOSTGRES_PASSWORD=hunter2hunter2'; }\n"
    )
    said = opened.ask("talk")
    assert said.code == 0
    assert said.lines[0] == "a"
    assert "hunter2" not in said.last
    opened.close()
    assert until(lambda: _last(folder) == state.NOTHING, PATIENCE)
