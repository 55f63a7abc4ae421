"""What a scan of a compose file and its environment teaches the redactor."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.secret_scan import learn
from lago_acceptance.core.secrets import Redactor, redact


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch):
    """Call it with variables: they are learnt, and nothing else is."""
    monkeypatch.setattr(Redactor, "shared", Redactor())
    return lambda variables: learn({}, {}, variables.items(), Path("/srv"))


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\\n"])
def test_a_secret_of_several_lines_is_learnt_whole_and_by_line(learnt, line_break: str):
    value = line_break.join(("firstline", "  second line", "x"))
    learnt({"API_SECRET": value})
    assert redact(f"got {value}.") == "got <secret>."
    assert redact("got firstline and second line and x") == "got <secret> and <secret> and x"


def test_the_edges_of_a_pem_are_no_secret(learnt):
    edge = "-----BEGIN CERTIFICATE-----"
    learnt({"API_SECRET": f"{edge}\nqwertzuiop\n-----END CERTIFICATE-----\n"})
    assert redact(f"{edge} qwertzuiop") == f"{edge} <secret>"


def test_several_lines_that_are_no_secret_are_not_learnt(learnt):
    learnt({"GREETING": "hello there\nand welcome"})
    assert redact("hello there, and welcome") == "hello there, and welcome"


@pytest.mark.parametrize(
    "value",
    [
        # Each has a part between slashes that could be a word.
        "pl3vn0g/OzgapPIPVNhbqTsXerUvWc/Z4GgXypEZuJEEVbXtRnDpBb",
        "ILAItoR8hNKMIyeGnm9yZ7ZN5V6ijwnBJkH4Ev92C/oqxSelyeyu/puXeNDcqzqT",
        "/zgapPIPVNhbZ4GgXypEZuJEEVbXtRnDpBbqTsXerUvWc0=",
    ],
)
def test_base64_is_learnt_whole_wherever_it_stands(learnt, value: str):
    learnt({"NOTE": value})
    assert redact(f"{value} and its beginning") == "<secret> and its beginning"


@pytest.mark.parametrize("value", ["getlago/billing/Version1/of/the/Api", "Europe/Berlin/and/other/Places"])
def test_a_path_is_not_learnt_as_base64(learnt, value: str):
    learnt({"NOTE": value})
    assert redact(value) == value
