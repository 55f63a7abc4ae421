"""A case file that is written wrong is an error with its name, and never a case that tests less."""

from __future__ import annotations

import pytest

from tests.support import corpus
from tests.support.override import merged

BASE = """x-env: &env
  - A=1
  - B=2
services:
  # the API
  api:
    image: api:1
    environment: *env
    ports: ["1:1"]
  web:
    image: web:1
"""


@pytest.mark.parametrize(
    ("override", "lines"),
    [
        ("x-env:\n  - A=3\n", ["x-env: &env", "  - A=3", "  - B=2"]),
        ("x-env:\n  - !reset A\n", ["x-env: &env", "  - B=2", "services:"]),
        ("x-env:\n  - A=1\n  - A=1\n", ["  - A=1", "  - A=1", "  - B=2"]),
        ("x-env: !override\n  - C=3\n", ["x-env:", "  - C=3", "services:"]),
        ("services:\n  web: !reset null\n", ['    ports: ["1:1"]']),
        ("services:\n  api:\n    user: me\n", ['    ports: ["1:1"]', "    user: me", "  web:"]),
        ("services:\n  api:\n    image: a\n    image: b\n", ["    image: a", "    image: b"]),
        ("services:\n  api:\n    environment:\n      C: 3\n", ["    environment:", "      C: 3"]),
        ("volumes:\n  data:\n", ["    image: web:1", "volumes:", "  data:"]),
    ],
)
def test_an_override_takes_its_place(override, lines):
    assert "\n" + "\n".join(lines) + "\n" in "\n" + merged(BASE, override)


def test_what_is_not_in_the_base_cannot_be_taken_away():
    with pytest.raises(ValueError, match="nothing is called worker"):
        merged(BASE, "services:\n  worker: !reset null\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# base: list\n", "needs one line '# expect"),
        ("# expect: a\n# expect: b\n", "needs one line '# expect"),
        ("# expects: a\n", "is not known: # expects: a"),
        ("# expect: a\n# observed: maybe\n", "'# observed: no, reason'"),
        ("# expect: a\n# lago.env lacks: NOBODY\n", "lago.env has no NOBODY"),
        ("# expect: a\n# base: list\nservices:\n  nobody: !reset null\n", "nothing is called nobody"),
    ],
)
def test_a_head_that_is_wrong_is_an_error(text, words, tmp_path):
    path = tmp_path / "case.yml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=words):
        corpus.read(path)
