"""The look of the night: a red that may be gone a minute later is looked at again, and nobody else looks meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.fleet import night, run
from lago_acceptance.fleet.target import Target, checked
from tests.support.fake_host_run import TIMING_ID, summary
from tests.support.patience import PATIENCE

CHILD = ("tests.support.fake_host_run",)


@pytest.fixture(autouse=True)
def timing(monkeypatch):
    """One id whose cause may be a moment's."""
    monkeypatch.setattr(night, "TIMING", frozenset({TIMING_ID}))


def looked(tmp_path, *names):
    """What came of a look at hosts of these names, and what was printed."""
    targets = checked(Target(address=f"ssh://{name}") for name in names)
    how = run.Look(reports=tmp_path, arguments=[], command=CHILD, seconds=PATIENCE)
    printed: list[str] = []
    summaries = night.look_twice(targets, how, 0.2, printed.append)
    return {each.host: each for each in summaries}, "\n".join(printed)


def calls(tmp_path, name: str) -> int:
    """How often a host was looked at."""
    return len((tmp_path / name / "calls").read_text().splitlines())


def test_what_was_a_moment_s_is_looked_at_again_and_the_second_look_counts(tmp_path):
    found, printed = looked(tmp_path, "moment", "a", "red")
    assert found["moment"].exit_code == 0 and found["red"].exit_code == 1
    assert [calls(tmp_path, name) for name in ("moment", "a", "red")] == [2, 1, 1]
    assert f"ssh://moment: first not accepted ({TIMING_ID}), then accepted" in printed
    assert found["moment"].notes == (
        f"the first look, 0.2 s before: not accepted ({TIMING_ID}); this is the second look, which counts",
    )


def test_the_history_forgets_the_first_look(tmp_path):
    looked(tmp_path, "moment", "a")
    first, second = (tmp_path / "moment" / "calls").read_text().splitlines()
    assert "--instead-of" not in first and "--instead-of moment-1 " in second


def test_a_cause_that_does_not_pass_is_not_waited_for(tmp_path):
    found, printed = looked(tmp_path, "mixed")
    assert found["mixed"].exit_code == 1 and calls(tmp_path, "mixed") == 1 and "checking again" not in printed


@pytest.mark.parametrize(
    ("code", "ids", "expected"),
    [
        (1, (TIMING_ID,), True),
        (1, (), False),
        (1, (TIMING_ID, "api-unhealthy"), False),
        (6, (), True),
        (4, (), False),
        (0, (), False),
    ],
)
def test_which_reds_may_be_a_moment_s(code, ids, expected):
    assert night.momentary(summary("a", code, "1", ids)) is expected


def test_a_second_night_on_the_same_reports_is_refused_and_harms_nothing(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom lago_acceptance.fleet import night\n"
        "with night.alone(Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout.readline() == "in\n"
        words = f"another nightly run .process {first.pid}. is writing to {tmp_path}"
        with pytest.raises(Unreachable, match=words), night.alone(tmp_path):
            pass
        assert (tmp_path / night.LOCK).read_text() == f"{first.pid}\n"
    finally:
        first.communicate("", timeout=PATIENCE)
    with night.alone(tmp_path):
        assert (tmp_path / night.LOCK).read_text() == f"{os.getpid()}\n"


def test_a_night_that_was_killed_leaves_no_lock(tmp_path):
    with night.alone(tmp_path):
        pass
    with night.alone(tmp_path):
        assert (tmp_path / night.LOCK).stat().st_mode & 0o777 == 0o600
