"""Which files are deployed from an operator's folder."""

from __future__ import annotations

import pytest

from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy import version

DEPLOYMENT = load(SETTINGS).deployment
COMPOSE = """
services:
  api:
    image: x
    env_file: [one.env, {path: two.env, required: false}]
    volumes:
      - ./rsa_key.rb:/run/rsa_key.rb:ro
      - ${SCRIPT:-./script.sh}:/script.sh
      - {type: bind, source: "${KEY:-./key.pem}", target: /key}
      - data:/data
      - /etc/hosts:/etc/hosts
      - ./conf:/conf
secrets:
  token: {file: ./token}
"""


@pytest.fixture
def folder(tmp_path):
    for name in (
        ".env.lago",
        "one.env",
        "two.env",
        "rsa_key.rb",
        "key.pem",
        "token",
        "script.sh",
        "data",
        "unrelated",
    ):
        (tmp_path / name).write_text(name)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.conf").write_text("a")
    (tmp_path / DEPLOYMENT.compose_file).write_text(COMPOSE)
    return tmp_path


def test_the_files_that_the_compose_file_names_are_deployed_and_no_others(folder):
    assert set(version.of_folder(folder, DEPLOYMENT).paths) == {
        DEPLOYMENT.compose_file,
        ".env.lago",
        "one.env",
        "two.env",
        "rsa_key.rb",
        "key.pem",
        "token",
        "script.sh",
        "conf/a.conf",
    }


def test_the_shipped_files_are_deployed_where_no_folder_is_named():
    assert set(version.of_folder(None, DEPLOYMENT).paths) == {DEPLOYMENT.compose_file, "rsa_key.rb"}


def _no_compose_file(folder):
    (folder / DEPLOYMENT.compose_file).unlink()


def _no_yaml(folder):
    (folder / DEPLOYMENT.compose_file).write_text("a: [")


def _large(folder):
    (folder / "token").write_bytes(b"x" * (version.LARGEST_FILE + 1))


def _many(folder):
    for number in range(version.MOST_FILES):
        (folder / "conf" / f"{number}.conf").touch()


def _pipe(folder):
    (folder / "token").unlink()
    (folder / DEPLOYMENT.env_file).unlink()
    (folder / "token").symlink_to("/dev/null")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_no_compose_file, "has no docker-compose.lago.yml; give the folder that holds it"),
        (_no_yaml, "is not YAML"),
        (_large, "token is larger than 1 MiB"),
        (_many, "files of its folder; 200 are copied at most"),
    ],
)
def test_a_folder_that_can_not_be_deployed_is_a_sentence(folder, spoil, said):
    spoil(folder)
    with pytest.raises(UsageError, match=said):
        version.of_folder(folder, DEPLOYMENT)


def test_what_is_no_file_is_not_deployed(folder):
    _pipe(folder)
    assert "token" not in version.of_folder(folder, DEPLOYMENT).paths


def test_nothing_outside_of_the_folder_is_deployed(folder):
    text = COMPOSE.replace("./token", "../outside")
    (folder / DEPLOYMENT.compose_file).write_text(text)
    (folder.parent / "outside").write_text("x")
    assert all(not path.startswith("..") for path in version.of_folder(folder, DEPLOYMENT).paths)
