"""The values of a script's words: quotes, variables, ``${...}`` and the output of commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from lago_acceptance.shell.parser import LENGTH_CAP, parts_of, plain, text_of
from lago_acceptance.shell.values import UNKNOWN, AbstractValue

if TYPE_CHECKING:
    from tree_sitter import Node


class Expander:
    """Computes words with the variables and the arguments of one script.

    ``output_of`` runs the commands of a substitution and gives what they write.
    """

    def __init__(
        self,
        variables: dict[str, AbstractValue],
        arguments: list[AbstractValue],
        output_of: Callable[[Node], AbstractValue],
    ):
        self.variables, self.arguments, self.output_of = variables, arguments, output_of

    def value(self, node: Node) -> AbstractValue:
        """The value of a word, or of a part of one."""
        literal = plain(node)
        if literal is not None:
            return AbstractValue.of(literal)
        match node.type:
            case "simple_expansion":
                return self._variable(text_of(node).lstrip()[1:])
            case "expansion":
                return self._expansion(node)
            case "command_substitution":
                return self.substituted(node)
            case "string" | "concatenation":
                return self._joined(node)
        return UNKNOWN

    def substituted(self, node: Node) -> AbstractValue:
        """What the commands of a substitution write, without the newlines at its end."""
        written = self.output_of(node)
        if written.literal is None:
            return written
        return replace(AbstractValue.of(written.literal.rstrip("\n")), origin=written.origin)

    def _variable(self, name: str) -> AbstractValue:
        if name == "!":
            return AbstractValue.of("")
        if name.isdecimal() and 0 < int(name) <= len(self.arguments):
            return self.arguments[int(name) - 1]
        return self.variables.get(name, AbstractValue.of("") if name.isidentifier() else UNKNOWN)

    def _joined(self, node: Node) -> AbstractValue:
        parts = [
            AbstractValue.of(part) if isinstance(part, str) else self.value(part) for part in parts_of(node)
        ]
        if len(parts) == 1:
            return parts[0]
        if sum(len(part.literal or "") for part in parts) > LENGTH_CAP:
            return UNKNOWN
        if all(part.literal is not None for part in parts):
            return AbstractValue.of("".join(part.literal or "" for part in parts))
        solid = [part for part in parts if part.literal is None or part.literal.strip()]
        return solid[0] if len(solid) == 1 else UNKNOWN

    def _expansion(self, node: Node) -> AbstractValue:
        text = text_of(node)[2:-1]
        found = re.match(r"[A-Za-z_]\w*", text)
        if not found:
            return UNKNOWN
        name, operation = found[0], text[found.end() :]
        value = self.variables.get(name, AbstractValue.of(""))
        if operation.startswith("//"):
            pattern, _, replacement = operation[2:].partition("/")
            return _replaced(value, pattern, replacement)
        if operation.startswith((":-", "-", ":=", "=")) and value.literal == "":
            word = [child for child in node.named_children if child.type != "variable_name"]
            value = self.value(word[0]) if len(word) == 1 else AbstractValue.of(operation.lstrip(":-="))
            if "=" in operation[:2]:
                self.variables[name] = replace(value, origin=value.origin or "shell")
        return value


def _replaced(value: AbstractValue, pattern: str, replacement: str) -> AbstractValue:
    """``${NAME//pattern/replacement}``: a PEM's newlines are written as ``\\n``, or come back."""
    written_out = "\\n" in pattern and not pattern.startswith("$'")
    if written_out and ("\\n" in replacement or replacement in ("", "$'\\n'")):
        if value.literal:
            return AbstractValue.of(value.literal.replace("\\n", "\n"))
        return replace(value, shape=value.shape.replace("-mangled", ""))
    return replace(value, literal=None, shape="pem-mangled" if value.shape == "pem" else value.shape)


def expands_unquoted(node: Node) -> bool:
    """Whether the shell splits what a word expands to."""
    if node.type in ("command_substitution", "simple_expansion", "expansion"):
        return True
    return node.type == "concatenation" and any(map(expands_unquoted, node.named_children))
