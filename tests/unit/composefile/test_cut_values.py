"""Values of environment files that Compose changes: what is said of them is what Compose really does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lago_acceptance.composefile.cli import Project, config
from lago_acceptance.composefile.cut_values import cut_values
from lago_acceptance.composefile.env_files import EnvFiles

CUT = {
    "dollar": ("NAME=aa$bb-cc\n", "aa$bb-cc", "unset"),
    "dollar in double quotes": ('NAME="aa$bb"\n', "aa$bb", "unset"),
    "dollar in braces": ("NAME=aa${bb}cc\n", "aa${bb}cc", "unset"),
    "dollar after a backslash": ("NAME=aa\\$bb\n", "aa$bb", "unset"),
    "variable of a later line": ("NAME=$LATER\nLATER=1\n", "1", "unset"),
    "space and #": ("NAME=day #7\n", "day #7", "comment"),
    "space and # in a password": ("NAME_PASSWORD=aa #bb cc\n", "aa #bb cc", "comment"),
    "behind the closing quote": ('NAME="aa"bb\n', "aabb", "tail"),
    "behind the closing single quote": ("NAME='aa' bb\n", "aa bb", "tail"),
    "open quote": ('NAME="aa\nOTHER=1\nLAST=2"\n', "aa", "lines"),
    "escape": ('NAME="a\\bc"\n', "a\\bc", "escape"),
    "line feed in a password": ('NAME_PASSWORD="aa\\nbb"\n', "aa\\nbb", "escape"),
    "the last of two": ("NAME=aa\nNAME=aa$bb\n", "aa$bb", "unset"),
}
KEPT = {
    "single quotes": ("NAME='aa$bb #7'\n", "aa$bb #7"),
    "doubled dollar": ("NAME=aa$$bb\n", "aa$bb"),
    "dollar before a digit": ("NAME=aa$1bb$\n", "aa$1bb$"),
    "escaped dollar in double quotes": ('NAME="aa\\$bb"\n', "aa$bb"),
    "# without a space": ("NAME=day#7\n", "day#7"),
    "# in double quotes": ('NAME="day #7"\n', "day #7"),
    "a comment": ("NAME=3000 # the port\n", "3000"),
    "a comment behind quotes": ('NAME="3000" #port\n', "3000"),
    "CRLF": ('NAME="aa"\r\nOTHER=1\r\n', "aa"),
    "byte order mark": ("\ufeffNAME=aa\n", "aa"),
    "export": ("export NAME=aa\n", "aa"),
    "spaces": ("  NAME = aa \n", "aa"),
    "colon": ("NAME: aa\n", "aa"),
    "variable of a line above": ("LATER=1\nNAME=${LATER}2\n", "12"),
    "default": ("NAME=${LATER:-1}2\n", "12"),
    "apostrophe": ("NAME=it's\n", "it's"),
    "escaped apostrophe": ("NAME='it\\'s'\n", "it's"),
    "PEM": (
        'NAME_KEY="-----BEGIN KEY-----\nabcd=\n-----END KEY-----"\n',
        "-----BEGIN KEY-----\nabcd=\n-----END KEY-----",
    ),
    "PEM on one line": (
        'NAME_KEY="-----BEGIN KEY-----\\nabcd\\n"\n',
        "-----BEGIN KEY-----\nabcd\n",
    ),
    "overwritten": ("NAME=aa$bb\nNAME=aa\n", "aa"),
}


def as_compose_reads(path) -> dict[str, str]:
    project = Project(files=(), env_files=(Path(os.devnull),), folder=path.parent)
    read = config(project, override={"services": {"one": {"image": "none", "env_file": [str(path)]}}})
    return {
        name: value.replace("$$", "$")
        for name, value in read.document["services"]["one"]["environment"].items()
    }


def reasons(path, text: str) -> dict[str, str]:
    found = cut_values({str(path): text}, EnvFiles({}, {}, {}, {}), {}, {})
    return {each.name: each.why for each in found}


@pytest.mark.parametrize(("text", "meant", "why"), CUT.values(), ids=CUT)
def test_a_value_that_compose_changes_is_found(tmp_path, text, meant, why):
    path = tmp_path / "lago.env"
    path.write_text(text, "utf-8")
    name = "NAME_PASSWORD" if "NAME_PASSWORD" in text else "NAME"
    assert as_compose_reads(path)[name] != meant
    assert reasons(path, text) == {name: why}


@pytest.mark.parametrize(("text", "meant"), KEPT.values(), ids=KEPT)
def test_a_value_that_compose_keeps_is_not(tmp_path, text, meant):
    path = tmp_path / "lago.env"
    path.write_text(text, "utf-8")
    name = "NAME_KEY" if "NAME_KEY" in text else "NAME"
    assert as_compose_reads(path)[name] == meant
    assert reasons(path, text) == {}


def test_a_raw_file_is_taken_as_it_is():
    files = EnvFiles({"api": ("/one.env",)}, {"/one.env": "NAME=aa$bb\n"}, {}, {}, frozenset({"/one.env"}))
    assert cut_values({}, files, {}, {}) == ()


def test_what_a_service_overrides_is_not_looked_at():
    files = EnvFiles({"api": ("/one.env",), "worker": ("/one.env",)}, {"/one.env": "NAME=aa$bb\n"}, {}, {})
    assert [each.users for each in cut_values({}, files, {"api": frozenset({"NAME"})}, {})] == [("worker",)]
    assert cut_values({}, files, dict.fromkeys(("api", "worker"), frozenset({"NAME"})), {}) == ()
