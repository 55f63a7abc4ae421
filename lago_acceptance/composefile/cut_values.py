"""Values of environment files that Compose does not read as somebody wrote them.

Follows Compose's own reading of such a file: a quote may span lines, a space and # begin a comment behind a value without
quotes, and only single quotes keep dollar signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lago_acceptance.composefile.env_files import EnvFiles
from lago_acceptance.core.value_shapes import sounds_secret
from lago_acceptance.model.interpolation import SET_BY_SHELLS, blank
from lago_acceptance.model.source import CutValue

_STATEMENT = re.compile(
    r"""[^\S\n]*(?:export[^\S\n]+)?(?P<name>[A-Za-z_][\w.]*)[^\S\n]*[=:][^\S\n]*
    (?: '(?P<single>(?:\\.|[^'\\])*)'(?P<single_rest>[^\n]*)
      | "(?P<double>(?:\\.|[^"\\])*)"(?P<double_rest>[^\n]*)
      | (?P<plain>[^\n]*) )""",
    re.VERBOSE | re.DOTALL,
)
_ASSIGNMENT = re.compile(r"(?:export\s+)?[A-Za-z_]\w*=(?!=?\s*$)")
_CONTROL = re.compile(r"(?<!\\)(?:\\\\)*\\[abfv0]")
_WHITESPACE = re.compile(r"(?<!\\)(?:\\\\)*\\[nrt]")


class _Written(NamedTuple):
    """One variable as an environment file writes it: without its quotes, and what follows them."""

    name: str
    line: int
    quote: str
    text: str
    rest: str


def cut_values(
    interpolation: Mapping[str, str],
    env_files: EnvFiles,
    own: Mapping[str, frozenset[str]],
    values: Mapping[str, str],
) -> tuple[CutValue, ...]:
    """The values that Compose changes in environment files; where one is written twice, the last one counts.

    ``interpolation`` are the contents of the files of interpolation by path, ``own`` the names that each service's own
    `environment` sets: what it overrides is not looked at. ``values`` are the variables that env_file entries may use.
    """
    found = {
        (path, name): each
        for path, text in interpolation.items()
        for name, each in _of_file(path, text, {}).items()
    }
    for path, text in env_files.texts.items():
        users = [name for name, paths in env_files.by_service.items() if path in paths]
        for name, each in () if path in env_files.raw else _of_file(path, text, values).items():
            taking = tuple(user for user in users if name not in own.get(user, ()))
            if taking and (path, name) not in found:
                found[path, name] = CutValue(
                    path=path, name=name, line=each.line, why=each.why, unset=each.unset, users=taking
                )
    return tuple(found.values())


def _of_file(path: str, text: str, values: Mapping[str, str]) -> dict[str, CutValue]:
    known = {**dict.fromkeys(SET_BY_SHELLS, "set"), **values}
    found: dict[str, CutValue] = {}
    for written in _statements(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        why, unset = _change(written, known)
        found.pop(written.name, None)
        if why:
            found[written.name] = CutValue(
                path=path, name=written.name, line=written.line, why=why, unset=unset
            )
        known[written.name] = written.text
    return found


def _statements(text: str) -> Iterator[_Written]:
    at, line = 0, 1
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        if found := _STATEMENT.match(text, at):
            quote = "'" if found["single"] is not None else '"' if found["double"] is not None else ""
            body = found["single"] if quote == "'" else found["double"] if quote else found["plain"]
            rest = (found["single_rest"] or found["double_rest"] or "").strip()
            yield _Written(found["name"], line, quote, body, rest)
            end = found.end() + 1
        line += text.count("\n", at, end)
        at = end


def _change(written: _Written, known: Mapping[str, str]) -> tuple[str, str]:
    """Why Compose changes a value, and the variable that it replaces by nothing; "" where it doesn't change it."""
    text, secret = written.text, sounds_secret(written.name) or "://" in written.text
    if written.quote:
        if any(_ASSIGNMENT.match(line.strip()) for line in text.split("\n")[1:]):
            return "lines", ""
        if written.rest and not written.rest.startswith("#"):
            return "tail", ""
    else:
        text, comment, tail = text.partition(" #")
        if comment and not _is_comment(tail, secret):
            return "comment", ""
    if written.quote == "'":
        return "", ""
    if written.quote:
        if "-----BEGIN" not in text and (_CONTROL.search(text) or (secret and _WHITESPACE.search(text))):
            return "escape", ""
        text = text.replace(r"\$", "$$")
    unset = next(blank(text, known), None)
    # Compose refuses a brace that is not closed.
    if unset is None or re.search(r"\$\{[^}]*$", text):
        return "", ""
    # What follows a dollar sign may be a part of a password, which must not be shown.
    braces = f"${{{unset.name}" in text
    bare = not secret and re.search(rf"(?<!\w)\${unset.name}\b", text)
    return "unset", unset.name if unset.name.isupper() and (braces or bare) else ""


def _is_comment(tail: str, secret: bool) -> bool:
    """Whether what follows a # reads like a remark, not like the end of a value: it begins with a space, or has words."""
    return not tail.strip() or tail[0] in " \t#" or (not secret and tail[0].isalpha() and " " in tail.strip())
