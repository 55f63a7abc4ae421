"""Lines are broken as the standard library does it, but by the cells that a terminal gives to a character."""

from __future__ import annotations

import textwrap
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lago_acceptance.reports.wrapped import wrapped

WIDE = "請求書のワーカーが停止しています。プランも見つかりません and more of it"


def cells(line: str) -> int:
    """How wide a line is, by Unicode's own table."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in line
    )


@given(st.text("ab -", max_size=60), st.integers(5, 30), st.sampled_from(["", "  "]))
def test_letters_of_one_cell_are_broken_as_ever(text, width, indent):
    text = text.strip()
    expected = textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )
    # It leaves a blank at the end of some lines.
    assert wrapped(text, width, indent) == [line.rstrip() for line in expected]


@pytest.mark.parametrize("width", [80, 40, 21, 10, 6])
@pytest.mark.parametrize("text", [WIDE, "e\u0301" * 90, "\u754c" * 50, f"fix: {'x' * 30}\u754c{'y' * 30}"])
def test_every_line_fits_and_nothing_is_lost(text, width):
    lines = wrapped(text, width, "  ")
    assert max(map(cells, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_an_accent_stays_with_its_letter():
    assert wrapped("e\u0301" * 6, 3) == ["e\u0301" * 3, *["  e\u0301"] * 3]


@pytest.mark.parametrize("width", [0, 1, 2, 3])
def test_a_terminal_without_room_gets_a_character_a_line(width):
    assert "".join(wrapped(WIDE, width)).replace(" ", "") == WIDE.replace(" ", "")
