"""Keys given twice, and lines, in YAML of any kind."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.yaml_lines import Unusable, parsed, typed, with_lines

TWICE = {
    "one mapping": ("a: 1\nb: 2\na: 3\n", [(("a",), 3)]),
    "a flow mapping": ("x: {a: 1, a: 2}\n", [(("x", "a"), 1)]),
    "a list of mappings": ("x:\n  - a: 1\n    a: 2\n", [(("x", 0, "a"), 3)]),
    "two mappings": ("x: {a: 1}\ny: {a: 1}\n", []),
    "three times": ("a: 1\na: 2\na: 3\n", [(("a",), 3), (("a",), 3)]),
    "a quoted key": ("a: 1\n'a': 2\n", [(("a",), 2)]),
    "a mapping behind an anchor": (
        "x: &x {a: 1, a: 2}\ny: *x\n",
        [(("x", "a"), 1), (("y", "a"), 1)],
    ),
    "a key that overrides a merged one": ("x: &x {a: 1}\ny: {<<: *x, a: 2}\n", []),
    "names in a list": ("environment: [A=1, A=2]\n", []),
    "a text": ("just a text\n", []),
}


@pytest.mark.parametrize("name", TWICE)
def test_keys_given_twice_are_found(name: str):
    text, expected = TWICE[name]
    found = with_lines(parsed(text))
    assert [(path, found.lines[path]) for path in found.twice] == expected


def test_names_that_a_list_environment_gives_twice_are_found():
    found = with_lines(parsed("environment:\n  - A=1\n  - B=2\n  - A=3\n"))
    assert found.repeated == (("environment", "A"),) and found.lines["environment", "A"] == 4


def test_scalars_are_texts_or_typed():
    root = parsed("a: 010\nb: ~\nc: 'x'\nd: true\n")
    assert with_lines(root).document == {"a": "010", "b": None, "c": "x", "d": "true"}
    assert typed(root) == {"a": 8, "b": None, "c": "x", "d": True}


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "a: *x", "\t- a", "[" * 200])
def test_what_is_not_yaml_says_why(text: str):
    with pytest.raises(Unusable):
        parsed(text)


def test_a_second_document_is_an_error_where_one_is_wanted():
    assert parsed("a: 1\n---\nb: 2\n") is not None and parsed("# nothing\n") is None
    with pytest.raises(Unusable, match="second document"):
        parsed("a: 1\n---\nb: 2\n", alone=True)
