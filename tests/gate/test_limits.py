"""No file takes the gate's time or memory away: each is judged, or said not to be, within 10 s and 256 MiB."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.waiting import until
from tests.support import hostile, processes
from tests.support.patience import PATIENCE

GATE = str(Path(sys.executable).with_name("lago-gate"))
MEMORY = 256 << 10
# In a process of its own, since it measures all its children: the exit code, and the peak memory in KiB of the largest.
MEASURED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize("name", hostile.HEAVY)
def test_a_heavy_file_ends_in_a_finding_within_the_limits(name, tmp_path):
    text, more = hostile.HEAVY[name]
    path = hostile.write(tmp_path / "a", text, more)
    command = [sys.executable, "-c", MEASURED, GATE, "--reports", str(tmp_path / "reports"), str(path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    code, memory = map(int, ended.stdout.split())
    assert code == 1 and ended.stderr == ""
    assert memory <= MEMORY
    told = json.loads((tmp_path / "reports" / "gate.json").read_text("utf-8"))
    assert told and "fatal error" not in json.dumps(told)


def test_beside_a_heavy_file_the_others_are_judged(tmp_path):
    text, more = hostile.HEAVY["45,000 labels"]
    paths = [
        hostile.write(tmp_path / "heavy", text, more),
        *(hostile.write(tmp_path / str(number), hostile.service("restart: always")) for number in range(3)),
    ]
    ended = subprocess.run(
        [GATE, "--reports", str(tmp_path / "reports"), *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    told = json.loads((tmp_path / "reports" / "gate.json").read_text("utf-8"))
    missing = {each["path"] for each in told if each["rule"] == "rails-env-missing"}
    assert ended.returncode == 1 and set(map(str, paths[1:])) <= missing


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_gate_and_all_that_it_started(number, tmp_path):
    # Compose works on it for seconds.
    text, more = hostile.HEAVY["45,000 labels"]
    path = hostile.write(tmp_path / "a", text, more)
    (tmp_path / "tmp").mkdir()
    for arguments in (["init", "-q"], ["add", "compose.yml"], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=path.parent, check=True)
    process = subprocess.Popen(
        [GATE, "--reports", str(tmp_path / "reports"), "--base", "HEAD", str(path)],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    compose = until(lambda: processes.started_by(process.pid, "compose"), PATIENCE)
    started = processes.started_by(process.pid)
    assert compose, "Compose was not started"
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (2, "lago-gate: interrupted\n")
    assert psutil.wait_procs(started, timeout=PATIENCE)[1] == []
    assert list((tmp_path / "tmp").iterdir()) == []
