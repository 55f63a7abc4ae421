"""What a deploy is given, or finds on the host, and can't use: a sentence each, and nothing is changed."""

from __future__ import annotations

import pytest

from tests.support.deploy import command

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
