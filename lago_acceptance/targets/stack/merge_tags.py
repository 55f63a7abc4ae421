"""YAML with Compose's merge tags: ``!reset`` takes a value away, ``!override`` replaces it instead of merging."""

from __future__ import annotations

from typing import Any

import msgspec


class Tagged(msgspec.Struct, frozen=True):
    """A value with one of Compose's merge tags."""

    tag: str
    value: Any


OVERRIDE = "!override"
RESET = Tagged("!reset", None)


def dump(value: dict[str, Any]) -> str:
    """The YAML text of a document that may hold tagged values."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent(dumper: yaml.SafeDumper, tagged: Tagged) -> yaml.Node:
        node = dumper.represent_data(tagged.value)
        node.tag = tagged.tag
        return node

    Dumper.add_representer(Tagged, represent)
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, width=1000)


def literal(value: Any) -> Any:
    """A value as Compose has to read it, which interpolates every text of a file."""
    if isinstance(value, dict):
        return {key: literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [literal(each) for each in value]
    return value.replace("$", "$$") if isinstance(value, str) else value
