"""Puts a part of a compose file in the place of the same part of another file, as text.

Compose merges an override too, but of the parsed document: a key that stands twice, an unknown anchor or a
broken value would be gone. Here every line stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

RESET, OVERRIDE = "!reset", "!override"
_KEY = re.compile(r" *(?P<key>\"[^\"]+\"|[^\s\"-].*?):(?: +(?P<value>.*))?$")
_ITEM = re.compile(r" *- (?P<reset>!reset +)?(?P<name>[\w.-]+)(?P<value>=.*)?$")
_ANCHOR = re.compile(r"&[\w-]+$")


@dataclass
class Entry:
    """A key of a mapping, or a NAME=value of a list, with the lines that belong to it.

    ``value`` is what follows the key on its line; ``kind`` is key, variable or item (of any other list).
    """

    kind: str
    name: str
    value: str
    lines: list[str] = field(default_factory=list)

    @property
    def reset(self) -> bool:
        """Whether it takes away what the base has."""
        return self.value.startswith(RESET)

    @property
    def children(self) -> list[Entry]:
        """The entries below it, none where its value is on its own line or is a text."""
        return entries(self.lines[1:]) if not self.value or _ANCHOR.match(self.value) else []


def entries(lines: list[str]) -> list[Entry]:
    """The entries of one level, each with all lines up to the next one."""
    found: list[Entry] = []
    level = next((_indentation(line) for line in lines if _significant(line)), 0)
    for line in lines:
        if _significant(line) and _indentation(line) == level:
            found.append(_entry(line))
        if found:
            found[-1].lines.append(line)
    return found


def merged(base: str, override: str) -> str:
    """The base with the entries of the override in the place of its own of the same name.

    Mappings, and lists of NAME=value, are merged entry by entry; anything else is replaced, and what the
    base lacks is added at the end. ``key: !reset null`` and ``- !reset NAME`` take an entry away,
    ``key: !override`` replaces a mapping or list as a whole.
    """
    return "\n".join(_merged(base.splitlines(), override.splitlines())) + "\n"


def _merged(base: list[str], override: list[str]) -> list[str]:
    changes: dict[str, list[Entry]] = {}
    for entry in entries(override):
        changes.setdefault(entry.name, []).append(entry)
    lines: list[str] = []
    for entry in entries(base):
        wanted = changes.pop(entry.name, None) if entry.name in changes else [entry]
        if wanted is not None:
            lines += _changed(entry, wanted)
    if gone := [name for name, wanted in changes.items() if any(each.reset for each in wanted)]:
        raise ValueError(f"nothing is called {', '.join(gone)} in what the override would take it from")
    return lines + [line for wanted in changes.values() for entry in wanted for line in _plain(entry)]


def _changed(entry: Entry, wanted: list[Entry]) -> Iterator[str]:
    if wanted == [entry]:
        yield from entry.lines
    elif len(wanted) == 1 and _alike(entry.children, wanted[0].children):
        yield entry.lines[0]
        yield from _merged(entry.lines[1:], wanted[0].lines[1:])
    else:
        for each in wanted:
            yield from () if each.reset else _plain(each)


def _alike(one: list[Entry], other: list[Entry]) -> bool:
    kinds = {entry.kind for entry in (*one, *other)}
    return bool(one and other) and kinds in ({"key"}, {"variable"})


def _plain(entry: Entry) -> list[str]:
    head = entry.lines[0]
    return [head.replace(f" {OVERRIDE}", "") if entry.value == OVERRIDE else head, *entry.lines[1:]]


def _entry(line: str) -> Entry:
    if (found := _ITEM.match(line)) and (found["reset"] or found["value"] or found["name"].isupper()):
        return Entry("variable", found["name"], found["reset"] or found["value"] or "")
    if found := _KEY.match(line):
        return Entry("key", found["key"].strip('"'), found["value"] or "")
    return Entry("item", line.strip(), line.strip())


def _significant(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
