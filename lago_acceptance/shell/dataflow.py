"""What a container's command does to its environment, read without running it.

A shell wrapper around Lago's script is followed as far as it sets variables: literals are computed, files
that are known are read, and of the rest the shape is kept (a PEM put through ``base64`` is base64 of a PEM).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from lago_acceptance.shell.filters import FILTERS, output
from lago_acceptance.shell.values import UNKNOWN, AbstractValue, Read
from lago_acceptance.shell.words import (
    LENGTH_CAP,
    OPERATORS,
    SCRIPTS_CAP,
    SHELLS,
    SUBSTITUTIONS_CAP,
    needs_shell,
)

if TYPE_CHECKING:
    from tree_sitter import Node


@dataclass
class ShellState:
    """What a command leaves behind: variables, those exported by it, unquoted exports, files it writes, programs.

    ``unseen``: something whose text isn't known may have set any variable (a sourced file, ``eval``, ``export $(...)``).
    """

    variables: dict[str, AbstractValue]
    exported: set[str] = field(default_factory=set)
    unquoted: list[str] = field(default_factory=list)
    writes: dict[str, AbstractValue] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    programs: list[tuple[str, ...]] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    unseen: bool = False
    scripts: int = 0


def follow(
    words: tuple[str, ...],
    environment: dict[str, AbstractValue],
    read: Read,
    script: Callable[[str], str | None],
) -> ShellState:
    """What the command ``words`` makes of its environment.

    ``read`` gives the content of a file inside the container; ``script`` the text of a script there, or None.
    """
    outcome = ShellState(dict(environment))

    def read_noted(path: str) -> AbstractValue:
        outcome.reads.add(path)
        return outcome.writes.get(path) or read(path)

    _run(words, outcome, read_noted, script, 0)
    return outcome


def _run(words: tuple[str, ...], outcome: ShellState, read: Read, script: Callable, depth: int) -> None:
    if not words or depth > 4:
        return
    program = words[0].rsplit("/", 1)[-1]
    if program in ("env", "exec", "tini", "dumb-init", "--"):
        rest = list(words[1:])
        while rest and (rest[0].startswith("-") or "=" in rest[0]):
            name, equals, value = rest.pop(0).partition("=")
            if equals and not name.startswith("-"):
                outcome.variables[name] = AbstractValue.of(value, "env")
                outcome.exported.add(name)
        return _run(tuple(rest), outcome, read, script, depth + 1)
    if program in SHELLS:
        options = 1
        while options < len(words) and words[options].startswith("-") and words[options] != "--":
            takes = "c" in words[options].lstrip("-") and not words[options].startswith("--")
            options += 1
            if takes:
                text, arguments = words[options] if options < len(words) else "", words[options + 2 :]
                return _Script(text, arguments, outcome, read, script, depth, program).run()
        words = words[options:]
        program = words[0] if words else ""
    elif needs_shell(words):
        text = (
            words[0]
            if len(words) == 1
            else " ".join(word if word in OPERATORS else _quoted(word) for word in words)
        )
        return _Script(text, (), outcome, read, script, depth, "sh").run()
    text = script(words[0]) if words else None
    if text is not None and text.startswith("#!") and "sh" not in text.splitlines()[0]:
        text = None
    if text is not None:
        return _Script(text, words[1:], outcome, read, script, depth, "sh").run()
    outcome.programs.append(tuple(words))


def _quoted(word: str) -> str:
    name, equals, value = word.partition("=")
    return f"{name}={_double(value)}" if equals else word


def _double(value: str) -> str:
    return '"' + value.replace('"', '\\"') + '"' if "$(" in value or " " in value else value


@cache
def _parser():
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


class _Script:
    """One script, followed from top to bottom; both arms of a condition are followed."""

    def __init__(
        self,
        text: str,
        arguments: tuple[str, ...],
        outcome: ShellState,
        read: Read,
        script: Callable,
        depth: int,
        shell: str,
    ):
        self.source = text.encode()
        self.arguments, self.outcome, self.read, self.script = arguments, outcome, read, script
        self.depth, self.shell = depth, shell
        self.positional = [AbstractValue.of(argument) for argument in arguments]
        self.functions: dict[str, Node] = {}
        self.calls = 0
        self.exports_all = False

    def run(self) -> None:
        self.outcome.scripts += 1
        if (
            self.outcome.scripts <= SCRIPTS_CAP
            and len(self.source) < LENGTH_CAP
            and self.source.count(b"$(") + self.source.count(b"`") < SUBSTITUTIONS_CAP
        ):
            self._statements([_parser().parse(self.source).root_node], 0)

    def _text(self, node: Node) -> str:
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _statements(self, nodes: Iterable[Node], level: int) -> None:
        if level > 60:
            return
        for node in nodes:
            match node.type:
                case "variable_assignment":
                    self._assign(node)
                case "declaration_command":
                    self._declare(node)
                case "command":
                    self._command(node)
                case "redirected_statement":
                    self._redirected(node)
                case "pipeline":
                    self._pipeline(node)
                case "function_definition":
                    self.functions[self._text(node.child_by_field_name("name"))] = node
                case "comment":
                    pass
                case _:
                    self._statements(node.named_children, level + 1)

    def _assign(self, node: Node) -> str:
        name_node, value_node = node.child_by_field_name("name"), node.child_by_field_name("value")
        name = self._text(name_node) if name_node else ""
        value = self._value(value_node) if value_node else AbstractValue.of("")
        self.outcome.variables[name] = replace(value, origin=value.origin or "shell")
        if self.exports_all:
            self.outcome.exported.add(name)
        return name

    def _declare(self, node: Node) -> None:
        exporting = self._text(node).startswith(("export", "declare -x", "typeset -x"))
        for child in node.named_children:
            if child.type == "variable_assignment":
                name = self._assign(child)
                value = child.child_by_field_name("value")
                text = self.outcome.variables[name]
                risky = self.shell not in ("bash", "zsh") or text.shape.startswith("pem")
                if (
                    value is not None
                    and _bare(value)
                    and not text.one_word
                    and risky
                    and text.shape != "empty"
                ):
                    self.outcome.unquoted.append(self._text(child))
            elif child.type == "variable_name":
                name = self._text(child)
            else:
                if child.type in ("command_substitution", "simple_expansion") and exporting:
                    self.outcome.unquoted.append(self._text(child))
                    self._value(child)
                    self.outcome.unseen = True
                continue
            if exporting:
                self.outcome.exported.add(name)

    def _command(self, node: Node) -> AbstractValue:
        """Run one command; its output."""
        words, temporary = [], {}
        standard_input: AbstractValue | None = None
        for child in node.named_children:
            if child.type == "variable_assignment":
                name = self._text(child.child_by_field_name("name"))
                value = child.child_by_field_name("value")
                temporary[name] = self._value(value) if value else AbstractValue.of("")
            elif child.type == "herestring_redirect":
                standard_input = self._value(child.named_children[0])
            elif child.type == "file_redirect":
                continue
            else:
                words.append(child)
        texts = self._values(words)
        if temporary:
            self.outcome.variables.update(
                {name: replace(text, origin=text.origin or "shell") for name, text in temporary.items()}
            )
            self.outcome.exported.update(temporary)
        program = (texts[0].literal or "").rsplit("/", 1)[-1] if texts else ""
        if program in ("sed", "perl") and any(
            (text.literal or "").startswith(("-i", "-pi")) for text in texts
        ):
            self.outcome.edits += [text.literal for text in texts[2:] if text.literal]
        if program in ("ruby", "python", "python3", "node"):
            self.outcome.edits += [
                text.literal for text in texts[1:] if "/initializers/" in (text.literal or "")
            ]
        if program in ("cp", "mv", "ln", "install") and len(texts) > 2 and texts[-1].literal:
            self.outcome.edits.append(texts[-1].literal)
        if program in ("source", "."):
            self._source(texts[1].literal if len(texts) > 1 else None)
            return AbstractValue.of("")
        if program in self.functions:
            return self._call(self.functions[program], texts[1:])
        if program == "set":
            options = " ".join(text.literal or "" for text in texts[1:])
            if re.search(r"(^|\s)[-+]\w*a|[-+]o allexport", options):
                self.exports_all = not options.lstrip().startswith("+")
        self.outcome.unseen = self.outcome.unseen or program == "eval"
        if program in FILTERS:
            return FILTERS[program](texts, standard_input, self.read)
        if program not in (
            "echo",
            "printf",
            "set",
            "true",
            "test",
            "[",
            "exit",
            "sleep",
            "until",
            "shift",
            "cd",
            "unset",
        ):
            argv: list[str] = []
            for word, text in zip(words, texts, strict=True):
                if self._text(word).strip('"') in ("$@", "${@}", "$*"):
                    argv += self.arguments
                elif program in ("env", "exec") and (assigned := self._assigned(word)):
                    name, value = assigned
                    self.outcome.variables[name] = replace(value, origin=value.origin or "shell")
                    self.outcome.exported.add(name)
                else:
                    argv.append(text.literal if text.literal is not None else self._text(word))
            if argv:
                _run(tuple(argv), self.outcome, self.read, self.script, self.depth + 1)
        return output(program, texts)

    def _values(self, words: list[Node]) -> list[AbstractValue]:
        return [
            self._value(word.named_children[0] if word.type == "command_name" else word) for word in words
        ]

    def _assigned(self, word: Node) -> tuple[str, AbstractValue] | None:
        """The name and value of an argument of the form NAME=value, as env takes it; None where it is none."""
        name, equals, _ = self._text(word).partition("=")
        if not equals or not name.isidentifier():
            return None
        values = [child for child in word.named_children if child.start_byte > word.start_byte]
        if word.type == "concatenation" and len(values) == 1:
            return name, self._value(values[0])
        return name, AbstractValue.of((self._value(word).literal or "").partition("=")[2])

    def _source(self, path: str | None) -> None:
        """Run a file in this shell; one that is there, and whose text isn't known, may set anything."""
        body = self.script(path) if path else None
        if body is None:
            self.outcome.unseen = self.outcome.unseen or path is None or self.read(path).shape != "empty"
        elif self.depth < 4:
            inner = _Script(body, (), self.outcome, self.read, self.script, self.depth + 1, self.shell)
            inner.exports_all = self.exports_all
            inner.run()

    def _call(self, function: Node, arguments: list[AbstractValue]) -> AbstractValue:
        """Run one of the script's own functions."""
        body = function.child_by_field_name("body")
        if body is None or self.calls > 20:
            return UNKNOWN
        self.calls += 1
        outside, self.positional = self.positional, arguments
        *first, last = body.named_children or [body]
        self._statements(first, 0)
        written = self._stage(last, None)
        self.positional = outside
        return written

    def _redirected(self, node: Node) -> AbstractValue:
        body = node.child_by_field_name("body") or (node.named_children[0] if node.named_children else None)
        given: AbstractValue | None = None
        target = ""
        for child in node.named_children:
            if child.type == "file_redirect":
                destination = child.child_by_field_name("destination")
                operator = self._text(child).lstrip("0123456789&")[:1]
                path = self._value(destination).literal or "" if destination else ""
                if operator == "<" and destination and destination.type == "process_substitution":
                    given = self._substitution(destination)
                elif operator == "<":
                    given = self.read(path)
                elif not self._text(child).startswith("2"):
                    target = path
            elif child.type == "heredoc_redirect":
                inner = [each for each in child.named_children if each.type == "heredoc_body"]
                given = AbstractValue.of(self._text(inner[0]), "here-document") if inner else UNKNOWN
            elif child.type == "herestring_redirect":
                given = self._value(child.named_children[0])
        produced = UNKNOWN
        if body is not None:
            produced = self._stage(body, given)
        if target and not target.startswith("/dev/"):
            self.outcome.writes[target] = produced
        return produced

    def _pipeline(self, node: Node) -> AbstractValue:
        flowing: AbstractValue | None = None
        for stage in node.named_children:
            flowing = self._stage(stage, flowing)
        return flowing or UNKNOWN

    def _stage(self, node: Node, given: AbstractValue | None) -> AbstractValue:
        if node.type == "redirected_statement":
            return self._redirected(node)
        if node.type == "pipeline":
            first, *rest = node.named_children
            flowing = self._stage(first, given)
            for stage in rest:
                flowing = self._stage(stage, flowing)
            return flowing
        if node.type != "command":
            self._statements([node], 0)
            return UNKNOWN
        words = [
            child
            for child in node.named_children
            if child.type not in ("variable_assignment", "file_redirect", "herestring_redirect")
        ]
        texts = self._values(words)
        program = (texts[0].literal or "").rsplit("/", 1)[-1] if texts else ""
        if program == "read":
            names = [text.literal or "" for text in texts[1:] if (text.literal or "").isidentifier()]
            self.outcome.variables.update({name: given or UNKNOWN for name in names[:1]})
            return UNKNOWN
        if given is not None and program in FILTERS:
            return FILTERS[program](texts, given, self.read)
        if program in ("tee",) and given is not None:
            for text in texts[1:]:
                if text.literal:
                    self.outcome.writes[text.literal] = given
            return given
        return self._command(node)

    def _value(self, node: Node) -> AbstractValue:
        match node.type:
            case "word" | "number" | "variable_name" | "string_content":
                return AbstractValue.of(
                    re.sub(r"\\(.)", r"\1", self._text(node)) if node.type == "word" else self._text(node)
                )
            case "raw_string":
                return AbstractValue.of(self._text(node)[1:-1])
            case "ansi_c_string":
                return AbstractValue.of(self._text(node)[2:-1].replace("\\n", "\n"))
            case "simple_expansion":
                name = self._text(node)[1:]
                if name == "!":
                    return AbstractValue.of("")
                if name.isdigit() and 0 < int(name) <= len(self.positional):
                    return self.positional[int(name) - 1]
                return self.outcome.variables.get(
                    name, AbstractValue.of("") if name.isidentifier() else UNKNOWN
                )
            case "expansion":
                return self._expansion(node)
            case "command_substitution":
                return self._substitution(node)
            case "string":
                return self._joined(node, strip=True)
            case "concatenation":
                return self._joined(node, strip=False)
            case "command_name":
                return self._value(node.named_children[0]) if node.named_children else UNKNOWN
            case _:
                return UNKNOWN

    def _joined(self, node: Node, strip: bool) -> AbstractValue:
        start, end = (node.start_byte + 1, node.end_byte - 1) if strip else (node.start_byte, node.end_byte)
        parts: list[AbstractValue] = []
        at = start
        for child in node.named_children:
            if child.start_byte > at:
                parts.append(AbstractValue.of(self.source[at : child.start_byte].decode("utf-8", "replace")))
            parts.append(self._value(child))
            at = child.end_byte
        if at < end:
            parts.append(AbstractValue.of(self.source[at:end].decode("utf-8", "replace")))
        if len(parts) == 1:
            return parts[0]
        if sum(len(part.literal or "") for part in parts) > LENGTH_CAP:
            return UNKNOWN
        if all(part.literal is not None for part in parts):
            return AbstractValue.of("".join(part.literal or "" for part in parts))
        solid = [part for part in parts if (part.literal is None) or part.literal.strip()]
        return solid[0] if len(solid) == 1 else UNKNOWN

    def _expansion(self, node: Node) -> AbstractValue:
        text = self._text(node)[2:-1]
        found = re.match(r"[A-Za-z_]\w*", text)
        if not found:
            return UNKNOWN
        value = self.outcome.variables.get(found[0], AbstractValue.of(""))
        operation = text[found.end() :]
        if operation.startswith("//"):
            pattern, _, replacement = operation[2:].partition("/")
            if "\\n" in pattern and ("\\n" in replacement or replacement in ("", "$'\\n'")):
                fixed = value.literal.replace("\\n", "\n") if value.literal else None
                return (
                    AbstractValue.of(fixed)
                    if fixed is not None
                    else replace(value, shape=value.shape.replace("-mangled", ""))
                )
            return (
                replace(value, literal=None, shape="pem-mangled")
                if value.shape == "pem"
                else replace(value, literal=None)
            )
        word = [child for child in node.named_children if child.type != "variable_name"]
        if operation.startswith((":-", "-", ":=", "=")) and value.literal == "":
            value = self._value(word[0]) if len(word) == 1 else AbstractValue.of(operation.lstrip(":-="))
            if "=" in operation[:2]:
                self.outcome.variables[found[0]] = replace(value, origin=value.origin or "shell")
        return value

    def _substitution(self, node: Node) -> AbstractValue:
        flowing = UNKNOWN
        for child in node.named_children:
            flowing = (
                self._stage(child, None)
                if child.type in ("command", "pipeline", "redirected_statement")
                else UNKNOWN
            )
            if child.type == "file_redirect" and child.child_by_field_name("destination") is not None:
                flowing = self.read(self._value(child.child_by_field_name("destination")).literal or "")
        if flowing.literal is not None:
            return replace(AbstractValue.of(flowing.literal.rstrip("\n")), origin=flowing.origin)
        return flowing


def _bare(node: Node) -> bool:
    """Whether an expansion stands in it outside of quotes."""
    if node.type in ("command_substitution", "simple_expansion", "expansion"):
        return True
    return node.type == "concatenation" and any(_bare(child) for child in node.named_children)
