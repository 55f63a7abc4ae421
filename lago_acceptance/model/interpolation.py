"""Compose's variables in a text, which may be required (``:?``) or have a default."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

_START = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(:?[-?+])?)")


# Coolify sets these in every file that uses them.
MADE_BY_COOLIFY = re.compile(r"SERVICE_(FQDN|URL|USER|PASSWORD|BASE64|REALBASE64|HEX|NAME)_\w+")


class Use(msgspec.Struct, frozen=True):
    """One variable in a text. ``operator`` is "", "-", ":-", "?", ":?", "+" or ":+"; ``word`` follows it."""

    name: str
    operator: str
    word: str
    start: int
    end: int

    @property
    def required(self) -> bool:
        return "?" in self.operator

    @property
    def default(self) -> str | None:
        return self.word if "-" in self.operator else None


def uses(text: str) -> Iterator[Use]:
    """The variables of a text, from left to right; those inside of a default are in its ``word``."""
    at = 0
    while found := _START.search(text, at):
        at = found.end()
        if found[1]:
            continue
        if found[2]:
            yield Use(found[2], "", "", found.start(), found.end())
            continue
        depth = 1
        while at < len(text) and depth:
            depth += 1 if text.startswith("${", at) else -1 if text[at] == "}" else 0
            at += 1
        yield Use(found[3], found[4] or "", text[found.end() : at - 1], found.start(), at)


def nested(text: str) -> Iterator[Use]:
    """The variables of a text, those of defaults included."""
    for use in uses(text):
        yield use
        yield from nested(use.word)


def expand(text: str, value: Callable[[Use], str]) -> str:
    """The text with each of its variables replaced, and doubled dollars made single."""
    parts, at = [], 0
    for use in uses(text):
        parts += [text[at : use.start], value(use)]
        at = use.end
    return "".join([*parts, text[at:]]).replace("$$", "$")
