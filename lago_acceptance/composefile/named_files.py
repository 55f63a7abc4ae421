"""The files that a compose file makes Compose open, found before Compose sees it; and the file without some of them.

Followed through local files that are included or extended. Nothing is fetched, and nothing outside the project is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from lago_acceptance.composefile.bounded_files import ENVIRONMENT_CAP, read_regular, unread_because
from lago_acceptance.composefile.env_files import written_variables
from lago_acceptance.composefile.yaml_lines import SIZE_CAP, Unusable, YamlPath, documents, entries, items
from lago_acceptance.model.interpolation import interpolated
from lago_acceptance.model.source import UnreadFile

# How many files a compose file may lead to. Deployments in use name fewer than ten.
FILES_CAP = 50
# What Compose takes for an address: any scheme, an image registry's artifact, git's short forms.
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|oci:|github\.com/|[\w.-]+@[\w.-]+:)", re.IGNORECASE)
_BY_SERVICE = ("extends", "label_file", "env_file")


class Scope(NamedTuple):
    """Where relative paths start, and the variables that paths may use."""

    folder: Path
    values: Mapping[str, str]


class Named(NamedTuple):
    """One entry that names files: its key, its node, and the service that it belongs to."""

    key: str
    node: yaml.Node
    service: str = ""


class NamedFiles:
    """What the compose files of one project name, as far as it must not be opened: ``unread``.

    ``without_them`` is what to give to Compose in place of the compose files, None where they can be given as they are.
    Unread env_file entries don't count for that: Compose can be told not to open any.
    """

    def __init__(self, project: Path):
        self._project = project
        self._known: dict[tuple[Path, Path, int], tuple[Scope, list[UnreadFile]]] = {}
        self._documents: list[yaml.Node] = []
        self._left_out: set[int] = set()
        self._base_left_out = False
        self.unread: list[UnreadFile] = []

    @property
    def without_them(self) -> bytes | None:
        """The YAML of all files that were added, without the entries that lead to an unread file."""
        if not (self._left_out or self._base_left_out):
            return None
        for document in self._documents:
            _prune(document, self._left_out, set())
        dumped: bytes = yaml.serialize_all(
            self._documents, Dumper=yaml.CSafeDumper, encoding="utf-8", width=1 << 30
        )
        return dumped

    def add(self, documents: Iterable[yaml.Node], scope: Scope, via: str = "") -> None:
        """Look through one of the project's compose files; ``via`` is its name if it is not the one that is judged.

        Unusable where a file that it names is no compose file, or where there are too many.
        """
        for document in documents:
            self._documents.append(document)
            for named in _named_in(document):
                found = list(self._of(named, scope, via))
                line = None if via else named.node.start_mark.line + 1
                self.unread += [
                    msgspec.structs.replace(each, line=line, service=named.service) for each in found
                ]
                if any(each.key != "env_file" for each in found):
                    self._left_out.add(id(named.node))

    def leave_out(self, place: YamlPath, keys: Iterable[str]) -> bool:
        """Leave keys of one mapping out of what Compose is given; whether any of them was there."""
        before = len(self._left_out)
        for document in self._documents:
            node: yaml.Node | None = document
            for key in place:
                if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
                    node = node.value[key] if key < len(node.value) else None
                else:
                    node = _value(node, str(key)) if node is not None else None
            self._left_out |= {id(value) for key, value in entries(node) if key in keys}
        return len(self._left_out) > before

    def add_base(self, path: Path, scope: Scope) -> None:
        """Look through the file that the judged one overrides; before ``add``, since overrides follow what they change."""
        if why := unread_because(path, self._project):
            self.unread.append(UnreadFile(key="base", why=why, named=path.name))
            self._base_left_out = True
            return
        try:
            self.add_file(path, scope)
        except Unusable as error:
            raise Unusable(f"{path.name}, which it overrides, can't be used: {error}") from error

    def add_file(self, path: Path, scope: Scope) -> None:
        """Look through a compose file that is not the one that is judged. Unusable if it is none."""
        parsed = documents(read_regular(path, SIZE_CAP, "the file"))
        self.add((node for each in parsed for node in each.nodes), scope, path.name)

    def _of(self, named: Named, scope: Scope, via: str) -> Iterator[UnreadFile]:
        """The files of one entry that must not be opened; ``via`` is the local file that has the entry."""
        if named.key == "include":
            yield from self._included(named.node, scope, via)
        elif named.key == "extends":
            for file in _texts(_value(named.node, "file")):
                path, unread = self._looked_at("extends", file, scope, via)
                yield from unread or self._inside(path, Scope(path.parent, scope.values), _BY_SERVICE)
        else:
            for entry in items(named.node):
                for text in _texts(_value(entry, "path") or entry):
                    yield from self._looked_at(named.key, text, scope, via)[1]

    def _included(self, entry: yaml.Node, scope: Scope, via: str) -> Iterator[UnreadFile]:
        paths: list[Path] = []
        for text in _texts(_value(entry, "path") or entry):
            path, unread = self._looked_at("include", text, scope, via)
            paths.append(path)
            yield from unread
            if unread:
                return
        folder = paths[0].parent if paths else scope.folder
        for text in _texts(_value(entry, "project_directory")):
            folder = scope.folder / interpolated(text, scope.values)
        own = [scope.folder / interpolated(text, scope.values) for text in _texts(_value(entry, "env_file"))]
        env_files = own or [folder / ".env"]
        for path in env_files:
            if why := unread_because(path, self._project):
                yield UnreadFile(key="include", why=why, named=path.name, via=via)
                return
        inner = Scope(folder, {**environment_variables(env_files), **scope.values})
        for path in paths:
            yield from self._inside(path, inner, ("include", *_BY_SERVICE))

    def _looked_at(self, key: str, text: str, scope: Scope, via: str) -> tuple[Path, list[UnreadFile]]:
        """The file that a text names; and the same again if it must not be opened."""
        meant = interpolated(text, scope.values)
        path = scope.folder / meant
        address = key in ("include", "extends") and _ADDRESS.match(meant)
        why = "address" if address else unread_because(path, self._project)
        return path, [UnreadFile(key=key, why=why, named=text, via=via)] if why else []

    def _inside(self, path: Path, scope: Scope, keys: tuple[str, ...]) -> list[UnreadFile]:
        """The files that a local compose file names in turn and that must not be opened. Compose reports a missing one."""
        visit = (path, scope.folder, id(scope.values))
        if visit in self._known or not path.is_file():
            return self._known[visit][1] if visit in self._known else []
        if len(self._known) >= FILES_CAP:
            raise Unusable(f"its include and extends entries reach more than {FILES_CAP} files")
        found: list[UnreadFile] = []
        # Known before it is looked through: files may include each other. The scope is kept for its identity.
        self._known[visit] = (scope, found)
        try:
            inner = documents(read_regular(path, SIZE_CAP, "the file"))
        except Unusable as error:
            raise Unusable(f"{path.name}, which it includes or extends, can't be used: {error}") from error
        for node in (node for each in inner for node in each.nodes):
            for named in _named_in(node):
                if named.key in keys:
                    found += self._of(named, scope, path.name)
        return found


def _prune(node: yaml.Node, left_out: set[int], seen: set[int]) -> None:
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        node.value = [(key, value) for key, value in node.value if id(value) not in left_out]
        for _, value in node.value:
            _prune(value, left_out, seen)
    elif node.tag == "tag:yaml.org,2002:null":
        # An empty value would be written as an empty text.
        node.value = "null"
    elif isinstance(node, yaml.SequenceNode):
        node.value = [value for value in node.value if id(value) not in left_out]
        for value in node.value:
            _prune(value, left_out, seen)


def _named_in(document: yaml.Node) -> Iterator[Named]:
    for key, node in entries(document):
        if key == "include":
            yield from (Named("include", item) for item in items(node))
        elif key == "services":
            for service, body in entries(node):
                for name, value in entries(body):
                    if name in _BY_SERVICE:
                        yield Named(name, value, service)


def _value(node: yaml.Node, key: str) -> yaml.Node | None:
    return next((value for name, value in entries(node) if name == key), None)


def _texts(node: yaml.Node | None) -> list[str]:
    """A text, or the texts of a list."""
    return [each.value for each in items(node) if isinstance(each, yaml.ScalarNode)] if node else []


def environment_variables(paths: Iterable[Path]) -> dict[str, str]:
    """The variables that environment files write, as far as the files exist. Unusable if one can't be read."""
    found: dict[str, str] = {}
    for path in paths:
        if path.is_file():
            text = read_regular(path, ENVIRONMENT_CAP, f"the environment file {path.name}").decode(
                "utf-8", "replace"
            )
            found.update((name, value) for name, value in written_variables(text) if name)
    return found
