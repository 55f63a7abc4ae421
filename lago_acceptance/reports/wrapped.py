"""Lines that fit a terminal, on which a Chinese character takes two cells and an accent that combines takes none."""

from __future__ import annotations

import re


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """One line of text as lines of at most ``width`` cells; all but the first are indented by two more.

    It breaks between words, and within those that are longer than a line.
    """
    from rich.cells import cell_len

    lines: list[str] = []
    words = [each for each in re.split("( +)", text) if each]
    words.reverse()
    while words:
        before = indent + "  " if lines else indent
        room = max(1, width - len(before))
        if lines and words[-1].isspace():
            words.pop()
        line = ""
        while words and cell_len(line + words[-1]) <= room:
            line += words.pop()
        if words and cell_len(words[-1]) > room:
            line, rest = _cut(line, words.pop(), room)
            words += [rest] if rest else []
        if line := line.rstrip(" "):
            lines.append(before + line)
    return lines


def _cut(line: str, word: str, room: int) -> tuple[str, str]:
    """A line with as much of a word as there is room for, at least a character of it on an empty one; and the rest."""
    from rich.cells import cell_len

    used = cell_len(line)
    for at, letter in enumerate(word):
        used += cell_len(letter)
        if used > room and (at or line):
            return line + word[:at], word[at:]
    return line + word, ""
