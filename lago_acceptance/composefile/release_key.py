"""The variable that holds the seeded API key's value, which two releases have changed (lago-facts.md, section 7)."""

from __future__ import annotations

import re

import yaml

from lago_acceptance.composefile.written_places import WrittenFiles
from lago_acceptance.composefile.written_services import Variable, WrittenService, variables_of
from lago_acceptance.core.roles import LAGO_RUBY
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import Release

_PROPERTY = re.compile(r"^[&!]\S+\s+")


def move_key(written: WrittenFiles, services: tuple[WrittenService, ...], had: Release, has: Release) -> None:
    """Give the variable that a release reads the value of the one that the release before has read.

    UsageError where one value is written so that it serves other variables as well.
    """
    if had.seeded_key == has.seeded_key:
        return
    for service in services:
        variables = variables_of(service, written) if service.role in LAGO_RUBY else {}
        old, new = variables.get(had.seeded_key), variables.get(has.seeded_key)
        creates = variables.get("LAGO_CREATE_ORG")
        if not old or not creates or creates.value != "true":
            continue
        if new is None:
            _add(written, old, has.seeded_key)
        elif not _same(old, new):
            _set(written, old, new)


def _same(one: Variable, other: Variable) -> bool:
    return one.value == other.value if one.value or other.value else one.place.text == other.place.text


def _set(written: WrittenFiles, old: Variable, new: Variable) -> None:
    if new.anchored:
        raise UsageError(
            f"{new.name} shares its value with others through a YAML anchor: set it to {old.name}'s value yourself"
        )
    written.replace(new.place, _copied(written, old, new))


def _copied(written: WrittenFiles, old: Variable, new: Variable) -> str:
    """A variable's value as it is written, for another one. A secret of an environment file stays there."""
    text = _PROPERTY.sub("", old.place.text)
    if old.owner is None and new.owner is not None:
        if old.place.file != written.env_file:
            raise UsageError(
                f"{old.name} is in {old.place.file}, which Compose doesn't read for variables of the compose file: set "
                f"{new.name} to the same key there yourself, and take it out of the compose file"
            )
        return f"${{{old.name}}}"
    # Quotes are YAML's in a mapping only.
    quoted = isinstance(old.owner, yaml.MappingNode) and not isinstance(new.owner, yaml.MappingNode)
    return text.strip("\"'") if quoted else text


def _add(written: WrittenFiles, old: Variable, name: str) -> None:
    """Write a variable behind another one, in the same way."""
    place, owner = old.place, old.owner
    text = _PROPERTY.sub("", place.text)
    line, indent = written.line_break(place.file), written.indentation(place.file, place.start)
    listed = isinstance(owner, yaml.SequenceNode)
    entry = f"{name}={text}" if owner is None or listed else f"{name}: {text}"
    if owner is not None and owner.flow_style:
        whole = written.text(place.file)
        quote = whole[place.end] if listed and whole[place.end] in "\"'" else ""
        written.insert(place.file, place.end + len(quote), f", {quote}{entry}{quote}")
        return
    end = written.line_end(place.file, place.end)
    behind = written.text(place.file)[place.end : place.end + 1]
    quote = behind if listed and behind in ("'", '"') else ""
    dash = f"- {quote}" if listed else ""
    written.insert(place.file, end, f"{line}{indent}{dash}{entry}{quote}")
