"""What the gate says of the files that runbooks make: it refuses them for the reason that the page accepts, and for no other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lago_acceptance.core import resources
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.gate.engine import Judging, Question, judge
from tests.support import broken_deployments
from tests.support.deploy import host as hosts
from tests.support.deploy import runbook
from tests.support.patience import PATIENCE

# Nothing is deployed, and nobody is asked.
PROGRAMS = {
    "lago-acceptance": f'[ "$1" != provision ] || exec {sys.executable} -m lago_acceptance "$@"',
    "ssh": "cat >/dev/null",
    "cmp": "cat >/dev/null",
}


@pytest.mark.parametrize("page", ["database-password", "secret-key-base", "encryption-keys", "rsa-key"])
def test_a_page_accepts_exactly_what_the_gate_refuses(page, tmp_path):
    old, new, programs = (tmp_path / name for name in ("old", "new", "programs"))
    broken_deployments.write(old)
    hosts.copy_files(old, new)
    programs.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o700)
    variables = {"HOST": "ssh://root@host", "FOLDER": "/root/lago", "DIR": str(new)}
    ended = subprocess.run(
        ["sh", "-eu", "-c", runbook.script(page)],
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"} | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    accepted = re.findall(r"--despite ([\w-]+)", runbook.script(page))
    assert refused(old, new) == set(accepted) != set()


def refused(old: Path, new: Path) -> set[str]:
    """The errors that the gate finds in new files, compared with the old ones."""
    question = Question(
        new / hosts.ENV_FILE, str(old / hosts.COMPOSE_FILE), resources.SETTINGS, old / hosts.ENV_FILE
    )
    with Judging([new / hosts.COMPOSE_FILE], question) as judging:
        found = judge(judging.verdicts, WaiverFile()).findings
    return {each.id for each in found if each.severity is Severity.ERROR}
