"""Compose's variables in a text, which may be required (``:?``) or have a default."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

_START = re.compile(r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(:?[-?+])?)")
_BRACE = re.compile(r"\$\{|\}")
# Nobody writes defaults that deep inside each other, and each level is read once more.
LEVELS_CAP = 10

# Coolify sets these in every file that uses them (https://coolify.io/docs/knowledge-base/docker/compose).
MADE_BY_COOLIFY = re.compile(
    r"SERVICE_(FQDN|URL|USER|PASSWORD|PASSWORDWITHSYMBOLS|BASE64|REALBASE64|HEX|NAME|EMAIL|LOWERCASEUSER)_\w+"
    r"|COOLIFY_(URL|FQDN|BRANCH|RESOURCE_UUID|CONTAINER_NAME)"
)
# What a platform sets in every deploy, whichever file it is.
MADE_BY_PLATFORM = re.compile(
    rf"{MADE_BY_COOLIFY.pattern}|SOURCE_COMMIT|(RAILWAY|RENDER|DOKPLOY|DOKKU|FLY|ZEABUR|PORTAINER)_[A-Z_]+"
)

# Every login shell has these, and Compose sets the last one itself.
SET_BY_SHELLS = ("PWD", "HOME", "USER", "LOGNAME", "PATH", "SHELL", "LANG", "TERM", "COMPOSE_PROJECT_NAME")


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
        depth, at = 1, len(text)
        for brace in _BRACE.finditer(text, found.end()):
            depth += 1 if brace[0] == "${" else -1
            if not depth:
                at = brace.end()
                break
        yield Use(found[3], found[4] or "", text[found.end() : at - 1], found.start(), at)


def nested(text: str, level: int = 0) -> Iterator[Use]:
    """The variables of a text, those of defaults included, down to LEVELS_CAP levels."""
    for use in uses(text):
        yield use
        if level < LEVELS_CAP:
            yield from nested(use.word, level + 1)


def blank(text: str, values: Mapping[str, str], level: int = 0) -> Iterator[Use]:
    """The variables of a text that Compose replaces by nothing, with a warning: not set, and without a default."""
    for use in uses(text):
        value = values.get(use.name, "")
        there = use.name in values and bool(value or not use.operator.startswith(":"))
        if not use.operator:
            if not there:
                yield use
        elif there == ("+" in use.operator) and level < LEVELS_CAP:
            yield from blank(use.word, values, level + 1)


def interpolated(text: str, values: Mapping[str, str], level: int = 0) -> str:
    """The text as Compose interpolates it with these variables; one that is not set, or lies too deep, is empty."""

    def filled(use: Use) -> str:
        value = values.get(use.name, "")
        there = use.name in values and bool(value or not use.operator.startswith(":"))
        if there and "+" not in use.operator:
            return value
        word = use.word if there else (use.default or "")
        return interpolated(word, values, level + 1) if level < LEVELS_CAP else ""

    return expand(text, filled)


def expand(text: str, value: Callable[[Use], str]) -> str:
    """The text with each of its variables replaced, and doubled dollars made single."""
    parts, at = [], 0
    for use in uses(text):
        parts += [text[at : use.start], value(use)]
        at = use.end
    return "".join([*parts, text[at:]]).replace("$$", "$")
