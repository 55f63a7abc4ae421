"""``-m`` selects every test that has the mark, however the test got it and the expression is written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import marks

EXPRESSIONS: dict[str, Callable[[frozenset[str]], bool]] = {
    "smoke": lambda has: "smoke" in has,
    "(smoke)": lambda has: "smoke" in has,
    "gate": lambda has: "gate" in has,
    "(gate)": lambda has: "gate" in has,
    "gate and phase1": lambda has: {"gate", "phase1"} <= has,
    "smoke and phase1": lambda has: {"smoke", "phase1"} <= has,
    # The checks of an upgrade are left out where nothing asks for them.
    "not smoke": lambda has: not {"smoke", "upgrade"} & has,
    "smoke or nightly": lambda has: bool({"smoke", "nightly"} & has),
    "phase5 and not browser": lambda has: "phase5" in has and "browser" not in has,
}


def collected(expression: str, *paths: str) -> set[str]:
    """The tests that ``-m`` leaves."""
    said = marks.collect("-m", expression, *paths)
    return {line for line in said.splitlines() if "::" in line}


@pytest.mark.parametrize("mark", marks.MARKS)
def test_each_mark_is_used(mark):
    assert any(mark in has for has in marks.of_tests().values())


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_finds_every_test_whose_marks_it_matches(expression):
    matching = {test for test, has in marks.of_tests().items() if EXPRESSIONS[expression](has)}
    assert collected(expression) == matching != set()


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
