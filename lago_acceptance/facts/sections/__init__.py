"""Sections: facts of the host itself, each with its shell text, its parser and its meaning in one file.

A section is a function that parses what its shell text prints. The function's name is the field of Facts that it fills;
its docstring says what the field means. All sections run inside of scripts/collect.sh, in the same round trip.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec

from lago_acceptance.facts.untrusted import decoded

T = TypeVar("T")


class Section(msgspec.Struct, frozen=True):
    """A registered section. ``last``: it runs after everything else has ended."""

    name: str
    shell: str
    parse: Callable[[str], Any]
    last: bool = False

    @property
    def field(self) -> str:
        """The field of Facts that this section fills."""
        return self.parse.__name__


_registered: dict[str, Section] = {}


def section(
    name: str, *, shell: str, last: bool = False
) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Register a function as the parser of a section.

    The shell text is POSIX sh and runs in a subshell. It may use these variables of scripts/collect.sh: project, lagos,
    directory, files, env_files, mounted, sources, references, log_paths, proxy_mounts, members ("role id trust name service
    image" of what runs), docker_root, backups, started, tab and line_feed; lists have one entry a line. It changes nothing
    and reads no standard input. What looks like a key or a password in a URL is masked before it leaves the host, as are
    the deployment's secrets.
    """

    def registered(parse: Callable[[str], T]) -> Callable[[str], T]:
        if name in _registered:
            raise ValueError(f"two sections are called {name}")
        _registered[name] = Section(name, shell.strip("\n"), parse, last)
        return parse

    return registered


def json_names(text: str) -> tuple[str, ...]:
    """Names that Docker printed as JSON, one a line; whatever is no such name is left out."""
    names = (decoded(line) for line in text.splitlines())
    return tuple(name for name in names if isinstance(name, str))


@cache
def sections() -> tuple[Section, ...]:
    """All sections, in the order of their names."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return tuple(_registered[name] for name in sorted(_registered))


def parsed(text_of: Callable[[str], str]) -> dict[str, Any]:
    """What each section found, by the field of Facts; ``text_of`` gives the text of the section of a name."""
    return {each.field: each.parse(text_of(each.name)) for each in sections()}
