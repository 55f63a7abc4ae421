"""What a compose file may make Compose read: the project's own files, and what an option names."""

from __future__ import annotations

import os

import pytest

from lago_acceptance.composefile.cli import Project
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.targets.stack import unread_files


@pytest.fixture
def refused(tmp_path):
    """Call it with the text of a compose file: why it is refused, "" if it is not."""
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "outside.env").write_text("A=1")
    (folder / "own.env").write_text("A=1")
    (folder / "link.env").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe.env")

    def refuse(text: str, *allowed, **variables: str) -> str:
        file = folder / "compose.yml"
        file.write_text(text)
        try:
            unread_files.refuse(Project(files=(file,), variables=variables), allowed)
        except UsageError as error:
            return str(error)
        return ""

    return refuse


def service(entry: str) -> str:
    return f"services: {{a: {{image: i, {entry}}}}}"


@pytest.mark.parametrize(
    "entry",
    [
        "env_file: /etc/shadow",
        "env_file: [own.env, ../outside.env]",
        "env_file: [{path: /etc/shadow, required: false}]",
        "env_file: link.env",
        "env_file: pipe.env",
        "env_file: /dev/zero",
        "env_file: /proc/self/environ",
        "env_file: '${ELSEWHERE}/shadow'",
        "env_file: '${NOWHERE:-/etc}/shadow'",
        "label_file: /etc/hostname",
        "extends: {file: ../outside.yml, service: x}",
        "extends: {file: 'https://192.0.2.1/x.yml', service: x}",
    ],
)
def test_a_file_that_is_not_the_projects_is_refused_in_one_sentence(refused, entry):
    reason = refused(service(entry), ELSEWHERE="/etc")
    assert reason and "\n" not in reason and "compose.yml" in reason


@pytest.mark.parametrize("include", ["git://192.0.2.1/x.git", "oci://192.0.2.1/x", "/etc/hostname"])
def test_an_include_is_refused_before_compose_sees_it(refused, include):
    assert "include" in refused(f"include: ['{include}']\n{service('')}")


@pytest.mark.parametrize(
    "entry", ["env_file: own.env", "env_file: [./own.env]", "env_file: /dev/null", "user: root"]
)
def test_the_projects_own_files_are_read(refused, entry):
    assert refused(service(entry)) == ""


def test_an_option_names_what_may_be_read(refused, tmp_path):
    outside = tmp_path / "outside.env"
    assert refused(service("env_file: ../outside.env"), outside) == ""
    assert "--allow-mount" in refused(service("env_file: /etc/shadow"), outside)


def test_the_env_file_beside_it_is_the_projects_own(tmp_path):
    file = tmp_path / "compose.yml"
    assert unread_files.beside(file) is None
    (tmp_path / ".env").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match="not in its project"):
        unread_files.beside(file)
