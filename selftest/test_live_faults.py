"""The same broken deployments as on the stack give the same findings live."""

from __future__ import annotations

import pytest

from selftest import deployments, running
from selftest.live import lago

pytestmark = [pytest.mark.stack, pytest.mark.docker]

NAMES = ("key_by_path_variable", "restarts_for_ever", "worker_on_another_database", "wrong_resolver")
MARKS = "smoke and (phase1 or phase2 or phase3)"
# Looked at live, a deployment is not brought up by us: what happened then is no finding.
ONLY_ON_A_STACK = {"not-brought-up"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.deployment(name)) for name in NAMES])
def test_findings_are_those_of_the_stack(name, broken, tmp_path):
    up = lago.bring_up(tmp_path, getattr(deployments, name))
    try:
        live = running.run(tmp_path / "live", "-m", MARKS, *up.options)
    finally:
        lago.take_down(up)
    assert live.code == broken.code == 1, live.output
    for phase in (1, 2, 3):
        assert live.red(phase) == broken.red(phase) - ONLY_ON_A_STACK, f"phase {phase}: {live.output}"
