"""A deployment's files as texts that are changed in places; all else in them stays as it is, byte for byte."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import yaml

from lago_acceptance.composefile.yaml_lines import Unusable, documents
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.model.interpolation import LEVELS_CAP, Use, interpolated, uses

_MARK = "\ufeff"
# Of texts that are interpolated, and of values that are put into them: variables may multiply each other.
_TEXT_CAP, _VALUE_CAP, _PIECES_CAP = 50_000, 4096, 1000


class Place(NamedTuple):
    """A text and where it is: in which file, and from which character on."""

    text: str
    file: str
    start: int

    @property
    def end(self) -> int:
        """The character behind it."""
        return self.start + len(self.text)

    def part(self, start: int, end: int) -> Place:
        """The place of a part of the text."""
        return Place(self.text[start:end], self.file, self.start + start)


class WrittenFiles:
    """The files of a deployment: the compose file's YAML nodes, the variables of its environment file, and changes.

    ``compose_file`` and ``env_file`` are paths in ``files``; the latter may be missing there. UsageError where one of the
    two can't be read.
    """

    def __init__(self, files: Mapping[str, bytes], compose_file: str, env_file: str):
        self.compose_file, self.env_file = compose_file, env_file
        self.files = files
        self._texts: dict[str, str] = {}
        self._changes: dict[tuple[str, int, int], str] = {}
        try:
            self.documents = documents(files[compose_file])
        except Unusable as error:
            line = f" (line {error.line})" if error.line else ""
            raise UsageError(f"{compose_file} can't be used: {error}{line}") from error
        self.nodes = tuple(node for each in self.documents for node in each.nodes)
        self.variables = self.variables_of(env_file)
        self.values: dict[str, str] = {}
        for name, place in self.variables.items():
            self.values[name] = self._interpolated(place.text)[:_VALUE_CAP]

    def text(self, file: str) -> str:
        """The text of a file, without a byte order mark; "" if there is no such file."""
        if file not in self._texts:
            try:
                self._texts[file] = self.files.get(file, b"").decode("utf-8").removeprefix(_MARK)
            except UnicodeDecodeError as error:
                raise UsageError(f"{file} can't be used: it is not UTF-8 text") from error
        return self._texts[file]

    def variables_of(self, file: str) -> dict[str, Place]:
        """The variables of an environment file, each with the place of the value that counts: the last one."""
        text, found, at = self.text(file), {}, 0
        if not text:
            return {}
        from dotenv.parser import parse_stream

        for binding in parse_stream(io.StringIO(text)):
            written = binding.original.string
            value = written.find(binding.value or "", written.find("=") + 1)
            if binding.key and binding.value and value >= 0:
                found[binding.key] = Place(binding.value, file, at + value)
            at += len(written)
        return found

    def of(self, node: yaml.ScalarNode) -> Place:
        """The place of a scalar, with its anchor and quotes."""
        return self.between(self.compose_file, node.start_mark.index, node.end_mark.index)

    def between(self, file: str, start: int, end: int) -> Place:
        """The place from one character of a file to another."""
        return Place(self.text(file)[start:end], file, start)

    def filled(self, node: yaml.Node | None) -> str:
        """A scalar's value as Compose interpolates it; "" for none."""
        return self._interpolated(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def _interpolated(self, text: str) -> str:
        return interpolated(text, self.values) if "$" in text and len(text) <= _TEXT_CAP else text

    def pieces(self, place: Place) -> list[Place]:
        """What a text becomes when Compose interpolates it, each piece with the place that it is from."""
        return list(islice(self._pieces(place, 0), _PIECES_CAP))

    def _pieces(self, place: Place, level: int) -> Iterator[Place]:
        at = 0
        for use in uses(place.text):
            yield place.part(at, use.start)
            at = use.end
            if level < LEVELS_CAP and (source := self._source(use, place)):
                yield from self._pieces(source, level + 1)
        yield place.part(at, len(place.text))

    def _source(self, use: Use, place: Place) -> Place | None:
        """Where the value of a variable is written: in the environment file, or as its default. None for an empty one."""
        own = self.variables.get(use.name)
        if own and "+" not in use.operator:
            return own
        word = place.part(use.end - 1 - len(use.word), use.end - 1)
        return word if use.word and ("+" if own else "-") in use.operator else None

    def replace(self, place: Place, text: str) -> None:
        """Write another text in a place."""
        if place.text != text:
            self._changes[place.file, place.start, place.end] = text

    def insert(self, file: str, at: int, text: str) -> None:
        """Write a text before a character of a file."""
        self._changes[file, at, at] = text

    def forget(self) -> None:
        """Take back all changes."""
        self._changes.clear()

    def line_end(self, file: str, at: int) -> int:
        """Where the line ends in which a character is, before its line break."""
        text = self.text(file)
        found = text.find("\n", at)
        end = len(text) if found < 0 else found
        return end - 1 if text[end - 1 : end] == "\r" else end

    def line_break(self, file: str) -> str:
        """The line break that a file uses."""
        return "\r\n" if "\r\n" in self.text(file) else "\n"

    def indentation(self, file: str, at: int) -> str:
        """The spaces before the first word of the line in which a character is."""
        text = self.text(file)
        line = text[text.rfind("\n", 0, at) + 1 :]
        return line[: len(line) - len(line.lstrip(" "))]

    def changed(self) -> dict[str, bytes]:
        """The files in which something changes, with all changes."""
        found: dict[str, bytes] = {}
        for file in sorted({file for file, _, _ in self._changes}):
            text = self.text(file)
            for (_, start, end), new in sorted(
                ((key, new) for key, new in self._changes.items() if key[0] == file), reverse=True
            ):
                text = text[:start] + new + text[end:]
            mark = _MARK if self.files[file].startswith(_MARK.encode()) else ""
            found[file] = (mark + text).encode("utf-8")
        return found
