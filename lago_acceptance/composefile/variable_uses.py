"""Where a compose file uses Compose's variables, and which of them nothing sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lago_acceptance.composefile.yaml_lines import YamlPath
from lago_acceptance.model.interpolation import MADE_BY_PLATFORM, SET_BY_SHELLS, Use, blank, nested


def uses_of(document: Any) -> Iterator[tuple[Use, YamlPath]]:
    """Each use of a variable, those inside of defaults included, with its YAML path."""
    for text, path in _texts_of(document, ()):
        for use in nested(text):
            yield use, path


def left_empty(
    document: Any, set_here: Mapping[str, str], warned_of: Iterable[str], env_texts: Iterable[str]
) -> dict[str, tuple[YamlPath, ...]]:
    """The variables that Compose replaces by nothing, each with the places that use it.

    ``warned_of`` are those that Compose itself names: of files that the document includes, their places aren't known. Those
    that environment files use (``env_texts``) are reported where their values are.
    """
    found: dict[str, tuple[YamlPath, ...]] = {}
    known = {**set_here, **dict.fromkeys(SET_BY_SHELLS, "set")}
    for text, path in _texts_of(document, ()):
        for use in blank(text, known):
            if not MADE_BY_PLATFORM.fullmatch(use.name):
                found[use.name] = (*found.get(use.name, ()), path)
    in_env_files = {use.name for text in env_texts if "$" in text for use in nested(text)}
    elsewhere = set(warned_of) - found.keys() - known.keys() - in_env_files
    return {**found, **dict.fromkeys(sorted(elsewhere), ())}


def _texts_of(value: Any, path: YamlPath) -> Iterator[tuple[str, YamlPath]]:
    """The texts that may have variables, each with its YAML path."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _texts_of(child, (*path, key))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            named = (
                str(child).partition("=")[0]
                if path[-1:] in (("environment",), ("labels",)) and isinstance(child, str)
                else number
            )
            yield from _texts_of(child, (*path, named))
    elif isinstance(value, str) and "$" in value:
        yield value, path
