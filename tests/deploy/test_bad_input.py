"""What a deploy is given, or finds on the host, and can't use: a sentence each, and nothing is changed."""

from __future__ import annotations

import pytest

from tests.support.containers import docker
from tests.support.deploy import command, moments
from tests.support.deploy import host as hosts

pytestmark = [pytest.mark.stack, pytest.mark.docker]


# --- the folder to deploy ---


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.mkdir(), "has no docker-compose.lago.yml"),
        (lambda path: path.write_text(""), "is not a folder"),
        (lambda path: None, "is not a folder"),
    ],
    ids=["empty", "file", "absent"],
)
def test_a_folder_that_can_not_be_deployed(deployable, tmp_path, make, said):
    make(tmp_path / "given")
    ended = command.deploy(deployable, tmp_path / "given")
    assert ended.code == 4, ended.output
    assert said in ended.output
    assert "Traceback" not in ended.output


# --- the folder on the host ---


def test_a_folder_of_somebody_else_is_left_alone(deployable, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "letters.txt").write_text("dear")
    text = deployable.settings.read_text()
    deployable.settings.write_text(text.replace(str(deployable.folder), str(other)))
    try:
        ended = command.deploy(deployable, deployable.copy(tmp_path / "checkout"))
    finally:
        deployable.settings.write_text(text)
    assert ended.code == 1, ended.output[-3000:]
    assert "correct deployment.directory" in ended.output or "nothing of Lago's" in ended.output
    assert [each.name for each in other.iterdir()] == ["letters.txt"]


def test_the_folder_of_another_compose_project_is_left_alone(deployable, tmp_path):
    """Two projects in one folder would take each other's containers for their own."""
    label, image = "com.docker.compose.project", deployable.container_ids()["lago-redis"]
    image = docker("inspect", "--format", "{{.Image}}", image).strip()
    labels = [f"{label}={deployable.project}-other", f"{label}.working_dir={deployable.folder}"]
    words = [word for each in labels for word in ("--label", each)]
    other = docker("create", *words, image).strip()
    try:
        ended = command.deploy(deployable, deployable.copy(tmp_path / "checkout"))
    finally:
        docker("rm", "--volumes", other)
    assert ended.code == 1, ended.output[-3000:]
    assert "is the folder of another Compose project" in ended.output


# --- files on the host ---


def with_less_memory(document, _):
    """A change that recreates nothing that users notice."""
    document["services"]["lago-front"]["mem_limit"] = "200m"


def test_what_somebody_has_changed_on_the_host_is_kept(breakable, tmp_path):
    checkout, on_host = breakable.copy(tmp_path / "checkout"), breakable.folder / hosts.COMPOSE_FILE
    hosts.edit(checkout, with_less_memory)
    assert command.deploy(breakable, checkout).code == 0
    by_hand = on_host.read_text().replace("200m", "201m")
    on_host.write_text(by_hand)
    refused = command.deploy(breakable, checkout)
    assert refused.code == 1, refused.output[-3000:]
    assert "was changed on the host since the last deploy" in refused.output
    assert "mem_limit: 201m" in refused.output
    assert on_host.read_text() == by_hand
    ended = command.deploy(breakable, checkout, "--overwrite")
    assert ended.code == 0, ended.output[-3000:]
    assert on_host.read_bytes() == (checkout / hosts.COMPOSE_FILE).read_bytes()
    assert (moments.folders(breakable)[-1] / "backup/files" / hosts.COMPOSE_FILE).read_text() == by_hand


@pytest.mark.exhaustive
def test_only_its_owner_can_read_what_a_deploy_leaves(breakable, tmp_path):
    checkout = breakable.copy(tmp_path / "checkout")
    hosts.edit(checkout, with_less_memory)
    for folder in (checkout, breakable.folder):
        for name in hosts.FILES:
            (folder / name).chmod(0o644)
    shown = command.run("deploy", breakable, str(checkout), "--plan")
    assert f"{hosts.ENV_FILE} holds secrets that other users can read (mode 644)" in shown.output
    # Of a run that has ended long ago.
    state = breakable.folder / moments.STATE
    state.mkdir(mode=0o700)
    for name in ("lock", "holder"):
        (state / name).touch(0o600)
    (state / "holder").write_text("somebody@elsewhere, process 1")
    ended = command.deploy(breakable, checkout)
    assert ended.code == 0, ended.output[-3000:]
    left = [*(breakable.folder / name for name in hosts.FILES), *state.rglob("*")]
    modes = {str(each): each.stat().st_mode & 0o777 for each in left if not each.is_symlink()}
    open_to_others = {path: oct(mode) for path, mode in modes.items() if mode & 0o077}
    # A backup keeps the modes of before, in folders that are closed.
    assert not {path for path in open_to_others if "/backup/files/" not in path}, open_to_others


# --- two at once ---


def test_two_deploys_at_once(breakable, checkout):
    with moments.running(breakable, checkout) as first:
        first.await_event("begin", "quiet")
        second = command.deploy(breakable, checkout)
        assert second.code == 4, second.output[-3000:]
        assert "is being changed by" in second.output
        assert first.ended().code == 0, first.output[-3000:]
    assert len(moments.folders(breakable)) == 1
