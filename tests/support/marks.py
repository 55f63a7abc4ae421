"""The marks of every test of the suites, from one collection; also the plugin that prints them in it."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from tests.support import suite_run

MARKS = re.findall(r"^    (\w+): ", (suite_run.ROOT / "pytest.ini").read_text(), re.MULTILINE)
_SIGN = "marks of a test: "


def pytest_collection_finish(session: pytest.Session) -> None:
    """Print each test with its marks, where this module is loaded as a plugin (-p tests.support.marks)."""
    for item in session.items:
        print(_SIGN + json.dumps([item.nodeid, sorted({mark.name for mark in item.iter_markers()})]))


def collect(*arguments: str) -> str:
    """What ``pytest --collect-only`` prints with these arguments."""
    return suite_run.ended("-c", "pytest.ini", "--collect-only", "-q", *arguments).stdout


@cache
def of_tests() -> dict[str, frozenset[str]]:
    """The marks of the project's own that each test has, by the test's name."""
    # -s: pytest captures what plugins print during the collection. The checks of an upgrade are collected where they are named.
    lines = collect("-s", "-p", __name__, "suites", "suites/upgrade").splitlines()
    found = dict(json.loads(line.removeprefix(_SIGN)) for line in lines if line.startswith(_SIGN))
    return {test: frozenset(marks) & frozenset(MARKS) for test, marks in found.items()}
