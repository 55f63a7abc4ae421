"""YAML as data with line numbers. No file, however broken, can crash or stall the reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

SIZE_CAP = 1_000_000
DEPTH_CAP = 100
NODE_CAP = 50_000
# Of all values together, each as often as an alias repeats it.
TEXT_CAP = 4_000_000
SERVICES_CAP = 500
DOCUMENTS_CAP = 5
YamlPath = tuple[str | int, ...]


class Unusable(Exception):
    """The file can't be used, and why; ``line`` is where, if known."""

    def __init__(self, reason: str, line: int | None = None):
        super().__init__(reason)
        self.line = line


class ParsedYaml(msgspec.Struct, frozen=True):
    """A document with all scalars as texts (None for null), and the line of each path.

    ``repeated`` are the paths that appear twice: ``twice``, the keys of one mapping, and names of a list environment
    or of list labels. ``lines`` has the line of the last one. ``nodes`` are what it was read from: for a whole file all
    of its YAML documents, since Compose merges a second one (after ``---``) into the first.
    """

    document: Any
    lines: dict[YamlPath, int]
    repeated: tuple[YamlPath, ...]
    twice: tuple[YamlPath, ...]
    nodes: tuple[yaml.Node, ...] = ()


def read(data: bytes) -> ParsedYaml:
    """The document of a compose file; Unusable if it is none."""
    every = documents(data)
    found = every[0]
    document = found.document
    included = isinstance(document, dict) and "include" in document and "services" not in document
    if not included and not (isinstance(document, dict) and isinstance(document.get("services"), dict)):
        raise Unusable("this is YAML, but not a compose file: it has no `services`")
    if len(document.get("services") or {}) > SERVICES_CAP:
        raise Unusable(f"it declares {len(document['services'])} services; the limit is {SERVICES_CAP}")
    return msgspec.structs.replace(found, nodes=tuple(node for each in every for node in each.nodes))


def documents(data: bytes) -> tuple[ParsedYaml, ...]:
    """The YAML documents of a file that Compose may be given; Unusable if it can't, or would stall on one of them."""
    if not data.strip():
        raise Unusable("the file is empty")
    if len(data) > SIZE_CAP:
        raise Unusable(
            f"the file has {len(data) / 1e6:.1f} MB; the limit for a compose file is {SIZE_CAP // 1_000_000} MB"
        )
    if b"\0" in data:
        raise Unusable("the file is binary, not YAML")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unusable("the file is not UTF-8 text", data[: error.start].count(b"\n") + 1) from error
    nodes = _documents(text, DOCUMENTS_CAP + 1)
    if not nodes:
        raise Unusable("the file is empty")
    if len(nodes) > DOCUMENTS_CAP:
        raise Unusable(f"it has more than {DOCUMENTS_CAP} YAML documents (---)")
    return tuple(map(with_lines, nodes))


def parsed(text: str, alone: bool = False) -> yaml.Node | None:
    """The first document of a YAML text, None if it has none; Unusable if it is not YAML, or nested too deep.

    ``alone``: a second document is an error.
    """
    nodes = _documents(text, 2 if alone else 1)
    if len(nodes) > 1:
        raise Unusable("it has a second document (---)")
    return nodes[0] if nodes else None


def _documents(text: str, at_most: int) -> tuple[yaml.Node, ...]:
    """The first documents of a YAML text; Unusable if it is not YAML, or nested too deep."""
    _refuse_depth(text)
    loader = yaml.CSafeLoader(text)
    nodes: list[yaml.Node] = []
    try:
        while len(nodes) < at_most and loader.check_node() and (node := loader.get_node()):
            nodes.append(node)
        return tuple(nodes)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unusable(
            f"this is not YAML: {error.problem or error.context}", mark.line + 1 if mark else None
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise Unusable("this is not YAML") from error
    finally:
        loader.dispose()


def with_lines(root: yaml.Node) -> ParsedYaml:
    """A parsed document as texts with their lines; Unusable if its anchors expand without bounds."""
    walker = _Walker()
    document = walker.value(root, ())
    return ParsedYaml(document, walker.lines, tuple(walker.repeated), tuple(walker.twice), (root,))


def typed(root: yaml.Node) -> Any:
    """A parsed document with its scalars as YAML types them."""
    try:
        return yaml.CSafeLoader("").construct_document(root)
    except (yaml.YAMLError, ValueError) as error:
        raise Unusable("this is not YAML") from error


def entries(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """The entries of a mapping, those that it merges (<<) included; none of anything else."""
    own: dict[str, yaml.Node] = {}
    merged: dict[str, yaml.Node] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "<<":
            for each in items(value):
                merged = {**dict(entries(each)), **merged}
        elif isinstance(key, yaml.ScalarNode):
            own[key.value] = value
    yield from {**merged, **own}.items()


def items(node: yaml.Node) -> list[yaml.Node]:
    """The items of a sequence; of anything else, itself."""
    return node.value if isinstance(node, yaml.SequenceNode) else [node]


def _refuse_depth(text: str) -> None:
    """Unusable if YAML is nested too deep. The C parser has no limit of its own: it would crash the process."""
    flow = deepest = 0
    for found in re.finditer(r"[\[\]{}]", text):
        flow = flow + 1 if found[0] in "[{" else max(0, flow - 1)
        deepest = max(deepest, flow)
    block = max((len(found[0]) for found in re.finditer(r"(?m)^[ \t]*(?:[-?:][ \t]+)*", text)), default=0)
    if deepest > DEPTH_CAP or block > 8 * DEPTH_CAP:
        raise Unusable(f"the file is nested more than {DEPTH_CAP} levels deep")


class _Walker:
    """Turns nodes into data; follows merges (<<) and aliases, up to NODE_CAP values."""

    def __init__(self) -> None:
        self.lines: dict[YamlPath, int] = {}
        self.repeated: list[YamlPath] = []
        self.twice: list[YamlPath] = []
        self._open: set[int] = set()
        self._count = self._length = 0

    def value(self, node: yaml.Node, path: YamlPath) -> Any:
        self._count += 1
        if self._count > NODE_CAP:
            raise Unusable(f"its anchors multiply to more than {NODE_CAP} values", node.start_mark.line + 1)
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            if node.tag == "tag:yaml.org,2002:binary":
                raise Unusable(
                    "it has a value in base64 (!!binary); write it as text", node.start_mark.line + 1
                )
            self._length += len(node.value)
            if self._length > TEXT_CAP:
                raise Unusable(
                    f"its anchors multiply to more than {TEXT_CAP // 1_000_000} MB", node.start_mark.line + 1
                )
            return None if node.tag == "tag:yaml.org,2002:null" else node.value
        if id(node) in self._open:
            raise Unusable("an anchor contains itself", node.start_mark.line + 1)
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return self._sequence(node, path)
            assert isinstance(node, yaml.MappingNode)
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _sequence(self, node: yaml.SequenceNode, path: YamlPath) -> list[Any]:
        found = [self.value(child, (*path, number)) for number, child in enumerate(node.value)]
        if path and path[-1] in ("environment", "labels"):
            seen = set()
            for entry, child in zip(found, node.value, strict=True):
                if isinstance(entry, str):
                    name = entry.partition("=")[0]
                    if name in seen:
                        self.repeated.append((*path, name))
                    seen.add(name)
                    self.lines[(*path, name)] = child.start_mark.line + 1
        return found

    def _mapping(self, node: yaml.MappingNode, path: YamlPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise Unusable("a key is not a plain text", key_node.start_mark.line + 1)
            key = key_node.value
            if key == "<<":
                for part in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                    taken = self.value(part, path)
                    if isinstance(taken, dict):
                        merged = {**taken, **merged}
                continue
            if key in found:
                self.repeated.append((*path, key))
                self.twice.append((*path, key))
            for old in (
                [each for each in self.lines if each[: len(path) + 1] == (*path, key)]
                if key in merged or key in found
                else ()
            ):
                del self.lines[old]
            found[key] = self.value(child, (*path, key))
            self.lines[(*path, key)] = key_node.start_mark.line + 1
        return {**merged, **found}
