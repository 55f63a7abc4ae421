"""Files that the user names: read once, within limits; what can't be used is one sentence that says where."""

from __future__ import annotations

import os
import re
import stat
import tomllib
import types
import typing
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from lago_acceptance.core.verdicts import UsageError

LARGEST = 2**20
Struct = TypeVar("Struct", bound=msgspec.Struct)
_AT = re.compile(r"(?P<said>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)
_TYPES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "object": "a table",
    "array": "a list",
    "date": "a date such as 2027-01-31",
    "datetime": "a date with a time",
    "time": "a time of day",
}
_FOUND = {"float": "a number that is not whole", "str": "text", "bool": "true or false"}
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def unusable(file: Path) -> str:
    """Why a file that the user names can't be read, "" where it can. Nothing is opened: a pipe would block."""
    if os.path.isdir(file):
        return "is a folder"
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return "is not a regular file"
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError) as error:
        return f"can't be read: {getattr(error, 'strerror', None) or error}"
    return "" if os.access(file, os.R_OK) else "can't be read: this account may not read it"


def content(name: str, file: Path, largest: int = LARGEST) -> bytes:
    """The content of a file; UsageError, beginning with its ``name``, if it can't be read or has more bytes than ``largest``."""
    if problem := unusable(file):
        raise UsageError(f"{name} {file} {problem}")
    try:
        with file.open("rb") as opened:
            read = opened.read(largest + 1)
    except OSError as error:
        raise UsageError(f"{name} {file} can't be read: {error.strerror}") from error
    if len(read) > largest:
        raise UsageError(f"{name} {file} is larger than {largest // 1024} KiB; is it the right file?")
    return read


def toml(name: str, file: Path, kind: type[Struct], largest: int = LARGEST) -> Struct:
    """A TOML file as a struct; UsageError with the place in words if it is not TOML, or has an entry that can't be used."""
    return as_toml(name, file, content(name, file, largest), kind)


def as_toml(name: str, file: Path, read: bytes, kind: type[Struct]) -> Struct:
    """The same of a file that was read already."""
    try:
        document = tomllib.loads(read.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{name} {file} is not TOML: it is not UTF-8 text (byte {error.start + 1})"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} {file} is not TOML: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{name} {file} is not usable: it is nested too deeply") from error
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name} {file} has an invalid entry: {in_words(str(error), kind)}") from error


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A question that names what is spelled alike, else the known words themselves."""
    import difflib

    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def in_words(said: str, kind: type[msgspec.Struct]) -> str:
    """msgspec's message for a user of TOML: the place as the file has it, types in words, what an unknown word may mean."""
    found = _AT.fullmatch(said)
    text, path = (found["said"], found["path"] or "$") if found else (said, "$")
    place = _place(path)
    if field := re.fullmatch(r"Object missing required field `(.*)`", text):
        where = f" in {place}" if place else ""
        return f"{_named(kind, path, field[1])} is missing{where}"
    if field := re.fullmatch(r"Object contains unknown field `(.*)`", text, re.DOTALL):
        known = _fields(_at(kind, path))
        where = f" in {place}" if place else ""
        return f"there is no entry {field[1][:100]!r}{where}; {did_you_mean(field[1], known)}"
    if types_ := re.fullmatch(r"Expected `([a-z |]*)`, got `([a-z]*)`", text):
        return f"{place or 'the file'} must be {_type(types_[1])}, but is {_FOUND.get(types_[2]) or _type(types_[2])}"
    if form := re.fullmatch(r"Expected `str` matching regex '(.*)'", text):
        return f"{place} must have the form {form[1]}"
    if bound := re.fullmatch(r"Expected `([a-z]*)` (>=|<=|>|<) (.*)", text):
        return f"{place} must be {_type(bound[1])} of {_BOUNDS[bound[2]]} {bound[3].removesuffix('.0')}"
    return f"{place}: {text}" if place else text


def _type(names: str) -> str:
    return " or ".join(_TYPES.get(name, name) for name in names.split(" | ") if name != "null")


def _place(path: str) -> str:
    """``$.edge.closed_ports[0]`` as edge.closed_ports (entry 1), ``$.limits`` as [limits]."""
    names = path.removeprefix("$").removeprefix(".").replace("[...]", '."…"')
    if not names:
        return ""
    numbered = re.fullmatch(r"(.*?)\[(\d+)\](.*)", names)
    if numbered:
        entry, inner = f"{numbered[1]} (entry {int(numbered[2]) + 1})", numbered[3].removeprefix(".")
        return f"{inner} of {entry}" if inner else entry
    return names if "." in names else f"[{names}]" if names else ""


def _named(kind: type[msgspec.Struct], path: str, field: str) -> str:
    """How a field is written: a table with brackets."""
    parent = _at(kind, path)
    inner = (
        next((each.type for each in msgspec.structs.fields(parent) if each.name == field), None)
        if parent
        else None
    )
    return f"the table [{field}]" if _struct_in(inner) else field


def _at(kind: Any, path: str) -> type[msgspec.Struct] | None:
    """The struct at a path of msgspec's."""
    at: Any = kind
    for name in re.findall(r"[^.\[\]$]+|\.\.\.", path):
        struct = _struct_in(at)
        if name == "..." or name.isdigit():
            continue
        at = (
            next((each.type for each in msgspec.structs.fields(struct) if each.name == name), None)
            if struct
            else None
        )
    return _struct_in(at)


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a type is, or holds: ``tuple[Waiver, ...]``, ``dict[str, Schema]``, ``Backup | None``."""
    if (
        isinstance(kind, type)
        and not isinstance(kind, types.GenericAlias)
        and issubclass(kind, msgspec.Struct)
    ):
        return kind
    return next(filter(None, map(_struct_in, typing.get_args(kind))), None)


def _fields(struct: type[msgspec.Struct] | None) -> list[str]:
    return [each.name for each in msgspec.structs.fields(struct)] if struct else []
