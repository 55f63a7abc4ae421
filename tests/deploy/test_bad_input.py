"""What a deploy is given, or finds on the host, and can't use: a sentence each, and nothing is changed."""

from __future__ import annotations

import subprocess

import pytest

from lago_acceptance.core.waiting import until
from tests.support.deploy import command, moments
from tests.support.deploy import host as hosts
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]


@pytest.fixture
def checkout(breakable, tmp_path):
    """A change that recreates the API's container."""
    folder = breakable.copy(tmp_path / "checkout")
    hosts.edit(folder, with_another_variable)
    return folder


def with_another_variable(document, _):
    document["services"]["lago-api"]["environment"]["LAGO_DISABLE_SEGMENT"] = "yes"


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


# --- the dump ---


def test_a_dump_that_breaks_off_leaves_the_old_version(breakable, checkout):
    counts = breakable.counts()
    lock = [
        "docker",
        "exec",
        "-i",
        breakable.container("lago-db"),
        "psql",
        "-XqAt",
        "-U",
        "lago",
        "-d",
        "lago",
    ]
    with subprocess.Popen(lock, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as held:
        with moments.running(breakable, checkout) as deploy:
            folder = deploy.await_event("done", "stop")
            held.stdin.write("BEGIN; LOCK TABLE webhooks IN ACCESS EXCLUSIVE MODE; SELECT 'held';\n")
            held.stdin.flush()
            assert held.stdout.readline().strip() == "held"
            end = (
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
            )
            assert until(lambda: breakable.sql(end) != "0", PATIENCE)
            held.stdin.close()
            ended = deploy.ended()
        held.wait(PATIENCE)
    assert ended.code == 1, ended.output[-4000:]
    cause = ended.output.partition("not deployed: ")[2].splitlines()[0]
    assert "the database could not be dumped" in cause
    assert ("undone", "-") in moments.journal(folder)
    assert list((folder / "backup").glob("database.dump*")) == []
    breakable.await_routes()
    assert breakable.counts() == counts
