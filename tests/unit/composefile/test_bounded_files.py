"""Only regular files of the project are opened, up to a size; links are followed to see where they lead."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lago_acceptance.composefile.bounded_files import project_of, read_regular, unread_because
from lago_acceptance.composefile.yaml_lines import Unusable
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_text("text")
    (tmp_path / "outside").write_text("text")
    return folder


def test_the_project_is_the_repository_or_else_the_folder(project, monkeypatch):
    assert project_of(project / "sub") == project / "sub"
    (project / ".git").mkdir()
    assert project_of(project / "sub") == project
    # A home folder that is a repository is nobody's project.
    monkeypatch.setenv("HOME", str(project))
    assert project_of(project / "sub") == project / "sub"


READ = ("file", "sub/../file", "sub", "absent", "link to file", "/dev/null")
UNREAD = {
    "../outside": "outside",
    "link to ../outside": "outside",
    "sub/../../outside": "outside",
    "/etc/hostname": "outside",
    "/no/such/file": "outside",
    "/dev/zero": "special",
    "link to /dev/zero": "special",
    "/proc/self/environ": "special",
    "/sys/kernel/uevent_seqnum": "special",
    "a\0b": "special",
    "pipe": "special",
    "socket": "special",
}


@pytest.mark.parametrize("name", [*READ, *UNREAD])
def test_what_may_be_opened(name, project):
    path = project / name
    if name.startswith("link to "):
        path = project / "link"
        path.symlink_to(name.removeprefix("link to "))
    elif name == "pipe":
        os.mkfifo(path)
    elif name == "socket":
        socket.socket(socket.AF_UNIX).bind(os.path.relpath(path))
    assert unread_because(path, project) == UNREAD.get(name, "")


def test_a_regular_file_is_read_up_to_its_limit(project):
    (project / "file").write_bytes(b"x" * 1000)
    assert read_regular(project / "file", 1000, "the file") == b"x" * 1000
    with pytest.raises(Unusable, match=r"the file has 0\.0 MB; the limit is"):
        read_regular(project / "file", 999, "the file")


def test_what_is_none_is_refused_at_once(project):
    os.mkfifo(project / "pipe")
    for path in (project / "pipe", Path("/dev/zero"), project / "sub"):
        with pytest.raises(Unusable, match="not a regular file"):
            read_regular(path, 1000, "it")
    for path in (project / "absent", Path("/proc/self/mem")):
        with pytest.raises(Unusable, match="can't be read"):
            read_regular(path, 1000, "it")


def test_a_file_that_becomes_a_pipe_meanwhile_does_not_hold_the_gate(project):
    """Between the look at it and its opening; without a writer, opening a pipe waits for one."""
    os.mkfifo(project / "pipe")
    command = (
        "import os, stat, sys; from pathlib import Path; from lago_acceptance.composefile import bounded_files;"
        "look = os.stat; os.stat = lambda path: look(sys.argv[2]);"
        "bounded_files.read_regular(Path(sys.argv[1]), 100, 'it')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", command, project / "pipe", project / "file"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Unusable: it is not a regular file but a pipe" in ended.stderr
