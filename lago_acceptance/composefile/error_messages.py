"""Compose's error messages without the values they quote: a value may be a secret in the wrong place."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lago_acceptance.core.looks_secret import looks_secret
from lago_acceptance.core.secrets import redact

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_KEY = re.compile(r"""(?m)(?:^|[{,])[ \t-]*["']?(\w[\w.-]{0,100})["']?[ \t]*:(?=\s|$)""")
_VALUE = re.compile(
    r"""(?m)(?:^[ \t-]*|:[ \t]+|=|[\[,][ \t]*)["']?([^\s"'\[\]{},]{4,200})["']?[ \t]*(?=$|[\]},])"""
)
_QUOTED = re.compile(
    r"""(?P<undefined>\bundefined\ \w+)\ "?(?P<name>[^\s":]+)"?
      | "(?P<double>(?:\\.|[^"\\])*)"? | `(?P<back>[^`]*)`? | (?<!\w)'(?P<single>[^']*)'?""",
    re.VERBOSE,
)
_PLAIN = re.compile(r"[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*")
# What follows lists what Compose accepts; what comes before quotes what it was given.
_WOULD_TAKE = re.compile(r"must (?:be|start) |the only value allowed|does not match pattern|expected type '")
_CUT = "…"


def without_values(said: str, texts: Iterable[str]) -> str:
    """Compose's error on one line, without any value of the files that it read, whose contents are ``texts``.

    Keys stay, and names that are not defined: they say what to fix.
    """
    read = "\n".join(texts)
    keys, values = set(_KEY.findall(read)), set(_VALUE.findall(read))
    lines = (_COLOR.sub("", line).strip() for line in said.splitlines())
    lowered = read.lower()
    return " ".join(_line(line, keys, values, lowered) for line in lines if line)


def _line(line: str, keys: set[str], values: set[str], read: str) -> str:
    own = _WOULD_TAKE.search(line)
    end = own.start() if own else len(line)
    head = _QUOTED.sub(lambda found: _quoted(found, keys), line[:end])
    parts = head.split(": ")
    for number, part in enumerate(parts):
        bare = part.strip()
        refused = number and parts[number - 1].rpartition("' ")[2].startswith("invalid ") and " " not in bare
        if (refused or (len(bare) >= 4 and bare.lower() in read)) and bare not in keys:
            parts[number] = _CUT
    keys = keys | {found["name"] for found in _QUOTED.finditer(head) if found["undefined"]}
    words = [_CUT if _is_value(word, keys, values) else word for word in ": ".join(parts).split(" ")]
    return redact(" ".join(words) + line[end:])


def _quoted(found: re.Match[str], keys: set[str]) -> str:
    if found["undefined"]:
        plain = _PLAIN.fullmatch(found["name"]) and not looks_secret(found["name"])
        return found[0] if plain else f"{found['undefined']} {_CUT}"
    inside = next(text for text in (found["double"], found["back"], found["single"]) if text is not None)
    path = [key for key in re.split(r"[.\[\]]+", inside) if key]
    return found[0] if inside and all(key in keys or key.isdigit() for key in path) else f"'{_CUT}'"


def _is_value(word: str, keys: set[str], values: set[str]) -> bool:
    bare = word.strip(".,:;()'\"")
    return len(bare) >= 4 and bare in values and bare not in keys
