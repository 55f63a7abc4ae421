"""Output and reports that can't be written: one sentence, and the verdict and exit code of the checks."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
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


# A run of one check, which asks nothing of a host and so needs none.
TARGETS = {"live": "--target=live --hosts=ssh://root@127.0.0.1:9", "stack": ""}
PASSES, FAILS = (
    "def test_it(): pass\n",
    "def test_it(judge): judge([Finding(id='x', problem='x', impact='x', fix='x')])\n",
)
IMPORT = "from lago_acceptance.core.findings import Finding\n"


@pytest.fixture
def judged(tmp_path: Path):
    """Call it with a check, a target and options: the run of that check."""

    def run(check: str, target: str, options: str, before: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_one.py").write_text(IMPORT + check)
        command = (
            f"{sys.executable} -m pytest -c pytest.ini {TARGETS[target]} {options} {tmp_path}/test_one.py"
        )
        return shell(f"{before}{command}")

    return run


def warned(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    """The end of a run whose reports are not complete: one line says so, and the verdict is in the terminal."""
    [sentence] = [line for line in said(ended).splitlines() if "can't be written" in line]
    assert not [word for word in words if word not in sentence], sentence
    assert "accepted" in ended.stdout


@NEEDS_ROOT
@pytest.mark.parametrize("target", TARGETS)
def test_a_disk_that_is_full_before_a_run_begins(target, judged, small_disk):
    """It makes no healthy deployment red, and no red one accepted."""
    subprocess.run(
        ["bash", "-c", f"cat /dev/zero >{small_disk}/filler"], stderr=subprocess.DEVNULL, check=False
    )
    for number in range(200):
        try:
            (small_disk / f"inode{number}").touch()
        except OSError:
            break
    for check, code in ((PASSES, 0), (FAILS, 1)):
        ended = judged(check, target, f"--reports={small_disk}/reports")
        assert ended.returncode == code, said(ended)
        warned(ended, "no space is left", "--reports")


@NEEDS_ROOT
def test_a_disk_that_fills_up_while_checks_are_run(judged, small_disk):
    fills = (
        "def test_it():\n"
        f"    with open('{small_disk}/filler', 'ab', 0) as filler:\n"
        "        try:\n"
        "            while filler.write(bytes(1024)): pass\n"
        "        except OSError: pass\n"
    )
    ended = judged(fills, "live", f"--reports={small_disk}/reports")
    assert ended.returncode == 0, said(ended)
    warned(ended, "no space is left")


@pytest.mark.parametrize(
    ("reports", "reason"),
    [
        ("file", "part of its path is not a folder"),
        ("file/below", "part of its path is not a folder"),
        ("taken", "a folder is in its place"),
    ],
)
def test_what_is_no_place_for_reports(reports, reason, judged, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "latest" / "mine").mkdir(parents=True)
    ended = judged(PASSES, "live", f"--reports={tmp_path}/{reports}")
    assert ended.returncode == 0, said(ended)
    warned(ended, reason)
    assert (tmp_path / "taken" / "latest" / "mine").is_dir()


def test_a_folder_that_is_removed_while_checks_are_run_is_made_again(judged, tmp_path):
    removes = f"import shutil\ndef test_it(): shutil.rmtree('{tmp_path}/reports')\n"
    ended = judged(removes, "live", f"--reports={tmp_path}/reports")
    assert ended.returncode == 0 and "can't be written" not in said(ended)
    assert len(list(tmp_path.glob("reports/*/summary.json"))) == 1


def test_a_link_to_a_run_that_is_gone_is_replaced(judged, tmp_path):
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "latest").symlink_to("gone")
    ended = judged(PASSES, "live", f"--reports={tmp_path}/reports")
    assert ended.returncode == 0 and "can't be written" not in said(ended)
    assert (tmp_path / "reports" / "latest" / "summary.json").is_file()


@pytest.mark.parametrize("option", ["--alluredir", "--log-file", "--junitxml"])
def test_reports_of_pytests_plugins(option, judged, tmp_path):
    (tmp_path / "file").touch()
    ended = judged(FAILS, "live", f"--reports={tmp_path}/reports {option}={tmp_path}/file/below")
    assert ended.returncode == 1, said(ended)
    warned(ended, "part of its path is not a folder")
    assert (tmp_path / "reports" / "latest" / "summary.json").is_file()


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
