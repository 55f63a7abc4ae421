"""Output and reports that can't be written: one sentence, and the verdict and exit code of the checks."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import GATES, RED, gate, said, shell

NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")


@pytest.fixture
def red(tmp_path: Path) -> Path:
    """A compose file that is not accepted."""
    file = tmp_path / "compose.yml"
    file.write_text(RED)
    return file


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of 64 KiB that is full but for 4 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "lago-test", place], check=True)
    (place / "filler").write_bytes(b"x" * (60 * 1024))
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("program", GATES)
@pytest.mark.parametrize(
    "streams", [">/dev/full", ">&-", "<&-", "<&- >&- 2>&-", ">/dev/full 2>&1", "| head -n 0"]
)
def test_output_that_nobody_gets_changes_no_exit_code(program, streams, red, tmp_path):
    reports = f"--reports={tmp_path}/reports"
    for file, code in ((None, 0), (red, 1)):
        ended = shell(f"set -o pipefail; {gate(program, file)} {reports} {streams}")
        assert ended.returncode == code, said(ended)
        lost = "No space left on device" in said(ended)
        assert lost == (streams == ">/dev/full"), said(ended)
    assert (tmp_path / "reports" / "gate.json").read_text().count("privileged")


@NEEDS_ROOT
@pytest.mark.parametrize("program", GATES)
def test_a_disk_that_is_full_for_the_gates_report(program, red, small_disk):
    (small_disk / "gate.json").write_text("an earlier run's")
    for file, code in ((None, 0), (red, 1)):
        subprocess.run(
            ["bash", "-c", f"cat /dev/zero >{small_disk}/filler"], stderr=subprocess.DEVNULL, check=False
        )
        ended = shell(f"{gate(program, file)} --reports={small_disk}")
        assert ended.returncode == code, said(ended)
        [sentence] = [line for line in said(ended).splitlines() if "can't be written" in line]
        assert "no space is left" in sentence and "--reports" in sentence
        assert not (small_disk / "gate.json").exists(), (
            "an earlier run's report would be taken for this run's"
        )


@NEEDS_ROOT
def test_a_disk_that_is_full_for_junits_report(red, small_disk, tmp_path):
    ended = shell(f"{gate('pytest', red)} --reports={tmp_path}/reports --junitxml={small_disk}/junit.xml")
    assert ended.returncode == 1 and "junit.xml can't be written: no space is left" in said(ended)
    assert not (small_disk / "junit.xml").exists() and "generated xml file" not in said(ended)


@NEEDS_ROOT
def test_a_disk_that_is_full_before_a_run_begins(small_disk):
    """Nothing was brought up yet: a stack's overlay is among the reports."""
    subprocess.run(
        ["bash", "-c", f"cat /dev/zero >{small_disk}/filler"], stderr=subprocess.DEVNULL, check=False
    )
    for number in range(200):
        try:
            (small_disk / f"inode{number}").touch()
        except OSError:
            break
    target = "--target live --hosts ssh://root@no-such-host.invalid"
    ended = shell(f"{GATES['pytest'].removesuffix('gate')} smoke {target} --reports={small_disk}/reports")
    assert ended.returncode == 6, said(ended)
    assert "not judged:" in said(ended)


@pytest.mark.parametrize("program", GATES)
def test_reports_are_for_their_owner_alone(program, tmp_path):
    more = f"--junitxml={tmp_path}/reports/junit.xml" if program == "pytest" else ""
    ended = shell(f"umask 000; {gate(program)} --reports={tmp_path}/reports/gate {more}")
    assert ended.returncode == 0, said(ended)
    written = [tmp_path / "reports", *(tmp_path / "reports").rglob("*")]
    assert len(written) >= 4
    for each in written:
        mode = stat.S_IMODE(each.stat().st_mode)
        assert mode == (0o700 if each.is_dir() else 0o600), f"{each} {mode:o}"
