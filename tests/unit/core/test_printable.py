"""Text from containers, files and answers can't act on the terminal or the CI server that prints it."""

from __future__ import annotations

import unicodedata

import pytest

from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.printable import one_line, printable

VISIBLE = {
    "\x1b[2J\x1b]0;title\x07": r"\x1b[2J\x1b]0;title\x07",
    "\x1b]8;;https://x\x1b\\link": "\\x1b]8;;https://x\\x1b\\link",
    "\x1b]52;c;YQ==\x07": r"\x1b]52;c;YQ==\x07",
    "a\b\b\rover": r"a\x08\x08\x0dover",
    "\x9b31mred\x85": r"\x9b31mred\x85",
    "a\u202eb\u2066c\u200bd": r"a\u202eb\u2066c\u200bd",
    "a\u2028b": r"a\u2028b",
    "\x00\ufffe\U000e0041\udcff": r"\x00\ufffe\U000e0041\udcff",
    "::error file=x::text": r"\x3a:error file=x::text",
    "first\n  ::set-output name=a::b": "first\n  \\x3a:set-output name=a::b",
    "it says ##[error]x and ##vso[task.x]": r"it says \x23#[error]x and \x23#vso[task.x]",
    "##teamcity[x]": r"\x23#teamcity[x]",
    "section_start:1:x": r"\x73ection_start:1:x",
}
UNTOUCHED = [
    "grüße, 日本 🚀 é",
    "two\nlines\tand a tab",
    "OpenSSL::PKey::RSAError",
    "::1 and ::",
    "a # b ## c",
    "<b>&</b>",
]


@pytest.mark.parametrize("text", VISIBLE)
def test_what_would_act_is_visible(text):
    assert printable(text) == VISIBLE[text]
    assert printable(printable(text)) == VISIBLE[text]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_other_text_stays(text):
    assert printable(text) == text


def test_no_character_but_line_feed_and_tab_is_left_that_has_no_glyph():
    left = printable("".join(map(chr, range(0x110000))))
    unseen = {each for each in left if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert {each for each in unseen if each not in "\n\t"} <= ALLOWED


# Signs of Arabic, Syriac, Kaithi, hieroglyphs, shorthand and music: they are seen, or shape what is beside them.
ALLOWED = set(map(chr, [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD]))
ALLOWED |= set(map(chr, [*range(0x13430, 0x13440), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B)]))


def test_a_finding_is_one_line_a_field():
    finding = Finding(
        id="x",
        problem="log: \x1b[31mred\n::error::forged\nimpact: none",
        impact="::warning::x",
        fix="a\rb",
        service="api\n::error::y",
        place=Place("a\udcff\x1b.yml", 3),
    )
    assert finding.problem == r"log: \x1b[31mred\n::error::forged\nimpact: none"
    assert finding.impact == r"\x3a:warning::x" and finding.fix == r"a\x0db"
    assert str(finding).splitlines() == [
        rf"[x] api\n::error::y a\udcff\x1b.yml:3: {finding.problem}",
        rf"  impact: {finding.impact}",
        rf"  fix: {finding.fix}",
    ]


def test_one_line_keeps_what_is_one():
    assert one_line(" two\tparts\r\nand more\n") == r"two parts\nand more"
