"""What the parser takes, and what it leaves alone because its grammar can't."""

from __future__ import annotations

import pytest

from lago_acceptance.shell.exit_codes import codes
from lago_acceptance.shell.parser import parse


@pytest.mark.parametrize("text", ["echo ok", "echo caf\u00e9", "echo \ud800", ""])
def test_text_that_the_grammar_can_read_is_parsed(text):
    assert parse(text) is not None


@pytest.mark.parametrize("character", ["\u0100", "\u2014", "\uffbe", "\U0001f600", "\U0010ffff"])
def test_a_text_with_a_character_that_ends_the_process_is_not_parsed(character):
    """The grammar's scanner reads beyond a table for such a character, which is a segmentation fault now and then."""
    text = f"<<{character}$( {character}; true"
    assert parse(text) is None
    assert codes(text, lambda program, words: False) == {0, 1}
