"""docs/your-lago.md: its tables are those of the code."""

from __future__ import annotations

from lago_acceptance.targets import your_lago


def test_the_tables_are_current():
    page = your_lago.PAGE.read_text("utf-8")
    assert your_lago.written(page) == page, "run `make docs`"


def test_each_way_in_has_its_words():
    table = your_lago.markdown()
    for name in your_lago.styles():
        assert f"| {name} |" in table
    assert "no proxy, http only" in table and "the proxy is Caddy" in table
