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


# As a platform draws one: it looks like a password, and Docker makes it part of many names.
DRAWN = "billing-b0d6fc"


@pytest.mark.parametrize("named_by", ["the file", "Compose", "a variable", "its folder"])
def test_the_name_of_the_project_is_no_secret(named_by: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Redactor, "shared", Redactor())
    name = {"name": DRAWN}
    volumes = {"volumes": {"data": {"name": f"{DRAWN}_data"}}}
    learn(
        {**volumes, **(name if named_by == "the file" else {})},
        {**volumes, **(name if named_by == "Compose" else {})},
        [("COMPOSE_PROJECT_NAME", DRAWN)] if named_by == "a variable" else [],
        Path("/srv", DRAWN if named_by == "its folder" else "lago"),
    )
    assert redact(f"{DRAWN}_data and {DRAWN}-lago-api-1") == f"{DRAWN}_data and {DRAWN}-lago-api-1"


def test_what_stands_beside_the_name_of_the_project_is_a_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Redactor, "shared", Redactor())
    url = f"postgresql://lago:zQ8vT2xw9K@{DRAWN}-db:5432/lago"
    learn({"name": DRAWN}, {}, [("DATABASE_URL", url), ("NOTE", f"{DRAWN} zR7vT3xw8L")], Path("/srv"))
    assert "zQ8vT2xw9K" not in redact("the password is zQ8vT2xw9K") and "zR7vT3xw8L" not in redact(
        "zR7vT3xw8L"
    )


def test_a_password_that_has_the_name_of_the_project_in_it_is_a_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Redactor, "shared", Redactor())
    learn({"name": DRAWN}, {}, [("POSTGRES_PASSWORD", f"{DRAWN}-Xy7q")], Path("/srv"))
    assert redact(f"got {DRAWN}-Xy7q in {DRAWN}_data") == f"got <secret> in {DRAWN}_data"
