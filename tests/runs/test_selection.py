"""``-m`` selects every test that has the mark, however the test got it and the expression is written."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import pytest

from tests.support import suite_run

MARKS = re.findall(r"^    (\w+): ", (suite_run.ROOT / "pytest.ini").read_text(), re.MULTILINE)


@cache
def collected(expression: str, *paths: str) -> set[str]:
    """The tests that ``-m`` leaves."""
    ended = subprocess.run(
        suite_run.command("-c", "pytest.ini", "-m", expression, "--collect-only", "-q", *paths),
        cwd=suite_run.ROOT,
        env=suite_run.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return {line for line in ended.stdout.splitlines() if "::" in line}


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_finds_what_an_expression_finds(mark):
    assert collected(mark) == collected(f"({mark})")
    # Nothing bears the mark of what is yet to come.
    assert bool(collected(mark)) == (mark != "rollback")


@pytest.mark.parametrize(
    "expression", ["smoke and phase1", "not smoke", "smoke or nightly", "phase5 and not browser"]
)
def test_an_expression_finds_what_it_says(expression):
    assert collected(expression) == collected(f"({expression})") != set()


@pytest.mark.parametrize("expression", ["smoke", "(smoke)", "smoke and phase1"])
def test_a_mark_that_comes_from_a_constant_is_found(expression, tmp_path):
    path = tmp_path / "test_constant.py"
    path.write_text(
        "import pytest\n"
        'READ_ONLY, PHASE = "smoke", 1\n'
        'pytestmark = [getattr(pytest.mark, READ_ONLY), getattr(pytest.mark, f"phase{PHASE}")]\n'
        "def test_it(): ...\n"
    )
    assert {each.rpartition("::")[2] for each in collected(expression, str(path))} == {"test_it"}
