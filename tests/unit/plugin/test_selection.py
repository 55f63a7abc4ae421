"""Modules without the mark that is asked for are not imported, and no test of that mark is lost by it."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.support import suite_run

MARKS = re.findall(r"^    (\w+): ", (suite_run.ROOT / "pytest.ini").read_text(), re.MULTILINE)


def collected(expression: str) -> set[str]:
    """The tests that ``-m`` leaves."""
    ended = subprocess.run(
        suite_run.command("-c", "pytest.ini", "-m", expression, "--collect-only", "-q"),
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
