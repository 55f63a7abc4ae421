"""Makes text of unknown origin safe to print: nothing in it moves a cursor, hides, or commands a CI server."""

from __future__ import annotations

import re

# Control characters, surrogates, what changes the direction of text, what has no width, and what XML forbids.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]|[\U0001fffe-\U0001ffff]"
)
# What GitHub, Azure, TeamCity and GitLab take for a command in a line of a log.
_COMMAND = re.compile(
    r"^(?P<start>[^\S\n]*):(?=:[A-Za-z])|#(?=#(?:\[|vso\[|teamcity\[))|s(?=ection_(?:start|end):)",
    re.MULTILINE,
)


def printable(text: str) -> str:
    r"""The text with everything visible that a terminal or a CI server would act on (``\x1b``, ``\u202e``).

    Line feeds and tabs stay. What is safe already is returned as it is.
    """
    text = _UNSAFE.sub(_visible, text.replace("\r\n", "\n"))
    return _COMMAND.sub(_command, text)


def one_line(text: str) -> str:
    r"""The same on one line: a line feed becomes ``\n``. For texts that are printed as one field of something."""
    return printable(text.strip().replace("\r\n", "\n").replace("\n", "\\n").replace("\t", " "))


def _visible(found: re.Match[str]) -> str:
    number = ord(found[0])
    return (
        f"\\x{number:02x}"
        if number < 0x100
        else f"\\u{number:04x}"
        if number < 0x10000
        else f"\\U{number:08x}"
    )


def _command(found: re.Match[str]) -> str:
    start = found["start"] or ""
    return f"{start}\\x{ord(found[0][len(start)]):02x}"
