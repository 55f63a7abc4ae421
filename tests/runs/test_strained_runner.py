"""A runner that lacks something: one sentence that says what, and exit code 6, whatever the way in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import BIN, GATES, said, shell

LIVE = "--target live --hosts ssh://root@127.0.0.1:1"
WAYS = {
    "pytest": f"{sys.executable} -m pytest -m smoke {LIVE}",
    "lago-acceptance": f"{BIN}/lago-acceptance live ssh://root@127.0.0.1:1 -m smoke",
}
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user or mount a disk")
# A user id without a name, which may read this checkout.
NOBODY = (
    "setpriv --reuid=12345 --regid=12345 --clear-groups --inh-caps=+dac_read_search "
    "--ambient-caps=+dac_read_search env -u HOME -u USER -u LOGNAME"
)


@pytest.fixture
def few_programs(tmp_path: Path) -> Path:
    """A folder for the PATH with a shell and little else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "bash", "env", "cat"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


@pytest.fixture
def everyones(tmp_path: Path) -> Iterator[Path]:
    """A folder in which every user may write."""
    made = subprocess.run(
        ["mktemp", "-d", "/tmp/lago-test-XXXXXX"], capture_output=True, text=True, check=True
    )
    folder = Path(made.stdout.strip())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def not_judged(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 6 and a sentence with these words."""
    assert ended.returncode == 6, said(ended)[-3000:]
    sentence = next(line for line in said(ended).splitlines() if "not judged:" in line)
    assert not [word for word in words if word not in sentence], sentence


@pytest.mark.parametrize("way", WAYS)
def test_no_ssh(way, few_programs, tmp_path):
    reports = f"--reports={tmp_path}/reports"
    not_judged(shell(f"{WAYS[way]} {reports}", PATH=str(few_programs)), "openssh-client")
    (few_programs / "ssh").write_text("#!/bin/sh\n")
    not_judged(shell(f"{WAYS[way]} {reports}", PATH=str(few_programs)), "not executable", "openssh-client")


def test_an_empty_path(tmp_path):
    bash = shutil.which("bash")
    not_judged(
        shell(f"PATH= {WAYS['pytest']} --reports={tmp_path}/reports", PATH=os.path.dirname(bash)), "ssh"
    )


def test_an_ssh_that_hangs(few_programs, tmp_path):
    (few_programs / "sleep").symlink_to(str(shutil.which("sleep")))
    (few_programs / "ssh").write_text("#!/bin/sh\nexec sleep 600\n")
    (few_programs / "ssh").chmod(0o755)
    ended = shell(f"{WAYS['pytest']} --reports={tmp_path}/reports", PATH=str(few_programs))
    not_judged(ended, "ssh on this machine printed nothing", "ssh -V")


@pytest.mark.parametrize(
    "lacking",
    [
        "unset HOME",
        "export HOME=/nonexistent",
        "export HOME=/proc/1/root",
        "unset USER LOGNAME",
        "export LC_ALL=POSIX",
    ],
)
def test_what_a_run_does_not_need(lacking, tmp_path):
    """The host is not reached for its own reason."""
    not_judged(shell(f"{lacking}; {WAYS['pytest']} --reports={tmp_path}/reports"), "TCP", "refused")


@NEEDS_ROOT
def test_a_user_id_without_a_name(everyones):
    ended = shell(f"{NOBODY} {WAYS['pytest']} --reports={everyones}/reports")
    not_judged(ended, "No user exists for uid 12345", "/etc/passwd")
    for program, command in GATES.items():
        ended = shell(f"{NOBODY} {command} --reports={everyones}/{program}")
        assert ended.returncode == 0, said(ended)


@pytest.mark.parametrize("way", WAYS)
def test_too_few_files(way, tmp_path):
    ended = shell(f"ulimit -n 64; {WAYS[way]} --reports={tmp_path}/reports")
    not_judged(ended, "may open 64 files", "ulimit -n")


@NEEDS_ROOT
@pytest.mark.parametrize("limit", [1, 3])
def test_too_few_processes(limit, everyones):
    ended = shell(
        f"{NOBODY} bash -c 'ulimit -u {limit}; exec {WAYS['pytest']} --reports={everyones}/reports'"
    )
    not_judged(ended, "threads or processes", "ulimit -u")
    for program, command in GATES.items():
        ended = shell(f"{NOBODY} bash -c 'ulimit -u 1; exec {command} --reports={everyones}/{program}'")
        not_judged(ended, "threads or processes", "ulimit -u")


@NEEDS_ROOT
def test_a_temporary_folder_on_a_full_disk(tmp_path):
    """Of the candidates Python takes the first in which it can write a byte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "lago-test", disk], check=True)
    try:
        (disk / "filler").write_bytes(b"x" * (20 * 1024))
        ended = shell(f"{WAYS['pytest']} --reports={tmp_path}/reports", TMPDIR=str(disk))
        not_judged(ended, "no space is left", "TMPDIR")
        assert [each.name for each in disk.iterdir()] == ["filler"]
    finally:
        subprocess.run(["umount", disk], check=True)


@NEEDS_ROOT
@pytest.mark.parametrize("program", GATES)
def test_a_read_only_checkout(program, tmp_path):
    """The default folder of the reports lies in it."""
    place = Path(__file__).parents[2]
    read_only = f"unshare --mount bash -c 'mount --bind {place} {place}; mount -o remount,ro,bind {place}; cd {place}; "
    unwritten = shell(f"{read_only}{GATES[program]}'")
    assert unwritten.returncode == 0 and "choose another folder with --reports" in said(unwritten)
    elsewhere = shell(f"{read_only}{GATES[program]} --reports={tmp_path}/reports'")
    assert elsewhere.returncode == 0, said(elsewhere)
    assert (tmp_path / "reports" / "gate.json").exists()
