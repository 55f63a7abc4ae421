"""docs/upgrades.md is what the tables say, and its links lead somewhere."""

from __future__ import annotations

import re

from lago_acceptance.core.resources import ROOT
from lago_acceptance.lago.upgrades import stops
from lago_acceptance.lago.upgrades_page import markdown


def test_the_page_is_up_to_date():
    written = (ROOT / "docs" / "upgrades.md").read_text("utf-8")
    assert written == markdown(), "run `make docs`, or .venv/bin/python -m lago_acceptance.lago.upgrades_page"


def test_it_has_each_stop_with_its_commands_and_what_shows_that_it_is_done():
    page = markdown()
    for stop in stops():
        section = page.partition(f"### {stop.tag}:")[2].partition("\n### ")[0]
        assert all(task.command in section for task in stop.task)
        assert all(proof.undone in section for proof in (*stop.proofs, *stop.left))


def test_its_tables_are_tables():
    rows = [line for line in markdown().splitlines() if line.startswith("|")]
    assert rows
    assert not [line for line in rows if not line.endswith("|")]


def test_its_own_links_lead_to_headings():
    page = markdown()
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in page.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\(#([^)]+)\)", page)) <= headings
