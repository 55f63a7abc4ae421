"""Compose files that are laid over another one, as `docker compose -f base.yml -f overlay.yml` does; and lone ones."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from lago_acceptance.composefile.bounded_files import project_of, read_regular, unread_because
from lago_acceptance.composefile.yaml_lines import SIZE_CAP, ParsedYaml, Unusable, YamlPath, documents
from lago_acceptance.core.roles import FRONT, LAGO_RUBY, role_of

_BY_NAME = ("environment", "labels")
_REPLACED = ("command", "entrypoint", "test")
# One of these makes a service whole.
_WHOLE_BY = ("image", "build", "extends", "provider")


class Overlay(msgspec.Struct, frozen=True):
    """One file that is laid over another one."""

    path: Path
    text: str
    parsed: ParsedYaml


def read_overlays(paths: Iterable[Path]) -> tuple[Overlay, ...]:
    """The files at some paths; Unusable if one of them is no part of a compose file."""
    return tuple(map(_read, paths))


def _read(path: Path) -> Overlay:
    try:
        if unread_because(path, project_of(path.parent)) == "outside":
            raise Unusable("it is a link to a file outside its project; name that file itself")
        data = read_regular(path, SIZE_CAP, "the file")
        every = documents(data)
    except Unusable as error:
        raise Unusable(f"{path.name}, which is laid over it, can't be used: {error}") from error
    document = every[0].document
    if not isinstance(document, dict) or not isinstance(document.get("services") or {}, dict):
        raise Unusable(f"{path.name}, which is laid over it, is not a compose file")
    nodes = tuple(node for each in every for node in each.nodes)
    return Overlay(path, data.decode("utf-8-sig"), msgspec.structs.replace(every[0], nodes=nodes))


def laid_over(
    base: ParsedYaml, overlays: tuple[Overlay, ...]
) -> tuple[ParsedYaml, list[dict[YamlPath, int]]]:
    """The text of all files as one document, and the lines of each overlay by the paths of that document."""
    document, found = base.document, []
    for overlay in overlays:
        lines = dict(overlay.parsed.lines)
        document = _merged(document, overlay.parsed.document, (), lines)
        found.append(lines)
    whole = msgspec.structs.replace(
        base,
        document=document,
        repeated=(*base.repeated, *(path for each in overlays for path in each.parsed.repeated)),
        twice=(*base.twice, *(path for each in overlays for path in each.parsed.twice)),
    )
    return whole, found


def _merged(base: Any, over: Any, path: YamlPath, lines: dict[YamlPath, int]) -> Any:
    if over is None:
        return base
    key = path[-1] if path else ""
    if key in _BY_NAME and len(path) > 2:
        return {**_by_name(base), **_by_name(over)}
    if isinstance(base, dict) and isinstance(over, dict):
        merged = {
            each: _merged(base.get(each), value, (*path, each), lines) if each in base else value
            for each, value in over.items()
        }
        return {**base, **merged}
    if isinstance(base, list) and isinstance(over, list) and key not in _REPLACED:
        _shift(lines, path, len(base))
        return [*base, *over]
    return over


def _by_name(value: Any) -> dict[str, Any]:
    if not isinstance(value, list):
        return value if isinstance(value, dict) else {}
    parts = (str(entry).partition("=") for entry in value)
    return {name: rest if equals else None for name, equals, rest in parts}


def _shift(lines: dict[YamlPath, int], path: YamlPath, by: int) -> None:
    """What an overlay adds to a list follows what is there already."""
    size = len(path)
    moved: dict[YamlPath, int] = {}
    for each in [each for each in lines if each[:size] == path and len(each) > size]:
        place = each[size]
        if isinstance(place, int):
            moved[(*path, place + by, *each[size + 1 :])] = lines.pop(each)
    lines.update(moved)


def parts_of_services(document: dict[str, Any]) -> tuple[str, ...]:
    """The services of a file that is only a part, meant to be laid over another one; none of a whole file.

    They have neither an image nor a build, and no service of Lago is whole.
    """
    if "include" in document:
        return ()
    parts: list[str] = []
    for name, service in (document.get("services") or {}).items():
        if not isinstance(service, dict):
            return ()
        if not any(key in service for key in _WHOLE_BY):
            parts.append(name)
        elif role_of(str(service.get("image", "")), str(service.get("command", "")), {}) in (
            *LAGO_RUBY,
            FRONT,
        ):
            return ()
    return tuple(parts)
