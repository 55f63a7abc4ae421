"""The services of a compose file with the places where their images, commands and variables are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import yaml

from lago_acceptance.composefile.written_places import Place, WrittenFiles
from lago_acceptance.composefile.yaml_lines import entries, items
from lago_acceptance.core.roles import role_of
from lago_acceptance.model.interpolation import interpolated


class Word(NamedTuple):
    """A scalar of a command, and the sequence that it belongs to; None where the command is one text."""

    node: yaml.ScalarNode
    among: yaml.SequenceNode | None


class Variable(NamedTuple):
    """A variable of a service: the place of its value as it is written, quotes included, and what Compose makes of it.

    ``owner`` is the mapping or list of the compose file that has it; None where an environment file does. ``anchored``: other
    values may be taken from it by an alias.
    """

    name: str
    place: Place
    value: str
    owner: yaml.CollectionNode | None
    anchored: bool = False


class WrittenService(NamedTuple):
    """A service as it is written: its parts by their keys, with what it merges, and extends in the same file.

    ``environments`` are the values of `environment`, that of the service which it extends first.
    """

    name: str
    parts: dict[str, yaml.Node]
    environments: tuple[yaml.Node, ...]
    image: yaml.ScalarNode | None
    words: tuple[Word, ...]
    command: str
    role: str | None

    @property
    def built(self) -> bool:
        """Whether its image is built from a Dockerfile."""
        return "build" in self.parts


def services_of(written: WrittenFiles) -> tuple[WrittenService, ...]:
    """The services of all YAML documents of a compose file."""
    bodies = {
        name: body
        for document in written.nodes
        for key, services in entries(document)
        if key == "services"
        for name, body in entries(services)
    }
    return tuple(_service(name, list(_extended(name, bodies, written)), written) for name in bodies)


def _extended(
    name: str, bodies: dict[str, yaml.Node], written: WrittenFiles
) -> Iterator[dict[str, yaml.Node]]:
    """The parts of a service, and before them those of the services of the same file that it extends."""
    found: list[dict[str, yaml.Node]] = []
    seen: set[str] = set()
    while name in bodies and name not in seen:
        seen.add(name)
        parts = dict(entries(bodies[name]))
        found.append(parts)
        base = parts.get("extends")
        named = dict(entries(base))
        name = "" if "file" in named else written.filled(named.get("service") or base)
    return reversed(found)


def _service(name: str, levels: list[dict[str, yaml.Node]], written: WrittenFiles) -> WrittenService:
    parts = {key: value for level in levels for key, value in level.items()}
    image = parts.get("image")
    words = tuple(word for key in ("entrypoint", "command") for word in _words(parts.get(key)))
    command = " ".join(written.filled(word.node) for word in words)
    labels = {label: written.filled(value) for label, value in entries(parts.get("labels"))}
    return WrittenService(
        name=name,
        parts=parts,
        environments=tuple(level["environment"] for level in levels if "environment" in level),
        image=image if isinstance(image, yaml.ScalarNode) else None,
        words=words,
        command=command,
        role=role_of(written.filled(image), command, labels),
    )


def _words(node: yaml.Node | None) -> Iterator[Word]:
    if node is None:
        return
    among = node if isinstance(node, yaml.SequenceNode) else None
    for each in items(node):
        if isinstance(each, yaml.ScalarNode):
            yield Word(each, among)


def variables_of(service: WrittenService, written: WrittenFiles) -> dict[str, Variable]:
    """The variables of a service, those of its environment files included; its own `environment` wins."""
    parts = service.parts
    found: dict[str, Variable] = {}
    for entry in items(parts["env_file"]) if "env_file" in parts else []:
        file = written.filled(dict(entries(entry)).get("path") or entry).removeprefix("./")
        for name, place in written.variables_of(file).items():
            found[name] = Variable(name, place, interpolated(place.text, written.values), None)
    for environment in service.environments:
        for each in _written_in(environment, written):
            found[each.name] = each
    return found


def _written_in(environment: yaml.Node, written: WrittenFiles) -> Iterator[Variable]:
    """The variables of an `environment`: those that it merges first, so that its own come later."""
    listed = environment if isinstance(environment, yaml.SequenceNode) else None
    if isinstance(environment, yaml.MappingNode):
        for key, value in environment.value:
            if key.value == "<<":
                for part in items(value):
                    yield from _written_in(part, written)
        for key, value in environment.value:
            if key.value != "<<" and isinstance(value, yaml.ScalarNode):
                place = written.of(value)
                anchored = place.text.startswith("&")
                yield Variable(key.value, place, written.filled(value), environment, anchored)
    for item in listed.value if listed else ():
        if isinstance(item, yaml.ScalarNode) and "=" in item.value:
            place = written.of(item)
            quoted = place.text[-1:] in "\"'"
            value = place.part(place.text.index("=") + 1, len(place.text) - quoted)
            name = item.value.partition("=")[0]
            filled = written.filled(item).partition("=")[2]
            yield Variable(name, value, filled, listed, place.text.startswith("&"))
