"""The commands that README and docs show, and what is shown as their output."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.paths import ROOT

# Runbooks are run by tests/deploy/test_runbooks.py.
# What upgrades.md lists runs in containers of Lago; tests/unit/lago compares it with the tables that it is made from.
PAGES = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *({*(ROOT / "docs").glob("*.md")} - {ROOT / "docs" / "upgrades.md"}),
    ]
)
SHELL, SESSION = ("sh", "bash", "shell"), "console"
_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)((?: {4,}[^\n]*\n|\n(?= {4}))+)")
_ENDS = {"&&", "||", ";", "|", "&"}


class Line(NamedTuple):
    """One line of shell, and where it is."""

    page: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """Its simple commands as words, without comments, redirections and variables that are set in front of them."""
        lexer = shlex.shlex(self.text, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split = True
        found: list[list[str]] = [[]]
        words = iter(lexer)
        for word in words:
            if word in _ENDS:
                found.append([])
            elif word and set(word) <= set("<>&"):
                next(words)
            elif not found[-1] and (re.match(r"[A-Z_]+=", word) or word == "sudo"):
                continue
            else:
                found[-1].append(word)
        return [each for each in found if each]


class Session(NamedTuple):
    """A command, and the lines that are shown below it; "…" stands for lines that are left out."""

    page: str
    command: str
    output: list[str]


def fenced(page: Path) -> Iterator[tuple[str, str]]:
    """The language and the text of each fenced block."""
    for indent, language, text in _FENCE.findall(page.read_text("utf-8")):
        yield language, re.sub(f"^{indent}", "", text, flags=re.MULTILINE)


def lines() -> list[Line]:
    """Every line of shell: of indented blocks, and of fenced ones in a shell's language."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        blocks = [block for language, block in fenced(page) if language in SHELL]
        blocks += _INDENTED.findall(_FENCE.sub("", text))
        for block in blocks:
            joined = re.sub(r"\\\n\s*", "", block)
            found += [Line(page.name, line.strip()) for line in joined.splitlines() if line.strip()]
        found += [Line(page.name, each.command) for each in sessions(page)]
    return [each for each in found if not each.text.startswith("#")]


def sessions(page: Path) -> list[Session]:
    """What is shown with its output."""
    found: list[Session] = []
    for language, text in fenced(page):
        if language == SESSION:
            for line in text.splitlines():
                if line.startswith("$ "):
                    found.append(Session(page.name, line.removeprefix("$ "), []))
                else:
                    found[-1].output.append(line)
    return found
