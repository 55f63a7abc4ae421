"""Whether a program gets the signals that its container's first process gets, read without running anything.

A shell passes no signal on, and a container ends with its first process: a program that a shell runs as its child is
killed with the container. Bash replaces itself by the last command of ``-c``, unless it is a login shell; dash, and a
script in a file, never do (measured with bash 5.2 and dash 0.5.12).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from lago_acceptance.shell.parser import is_broken, parse, text_of, unquoted, walk, words_of
from lago_acceptance.shell.statements import links_of, statements_of
from lago_acceptance.shell.words import SHELLS, name_of, shell_call, unwrapped

if TYPE_CHECKING:
    from tree_sitter import Node

# They signal the whole process group, if asked to or by default: what comes of that is not judged.
_GROUP_INITS = {"tini": ("-g",), "docker-init": ("-g",), "dumb-init": ("",)}
_REPLACES_ITSELF = ("bash",)
LEVELS_CAP = 10


class Signals(enum.Enum):
    """Whether the program gets the container's signals."""

    REACH = enum.auto()
    LOST = enum.auto()
    UNKNOWN = enum.auto()


Ends = Callable[[tuple[str, ...]], Signals]
"""What is known of a command that is no shell: UNKNOWN where it isn't the program that the question is about."""
FindText = Callable[[str], str | None]
"""Gives the text of a script inside the container, None where it isn't known."""


def signals(words: tuple[str, ...], program: Ends, script: FindText, level: int = 0) -> Signals:
    """Whether what a command starts in the end gets the signals of the process that the command becomes."""
    if level > LEVELS_CAP or any(
        name_of(word) in _GROUP_INITS and (not _GROUP_INITS[name_of(word)][0] or "-g" in words[:4])
        for word in words[:1]
    ):
        return Signals.UNKNOWN
    words = unwrapped(words).words
    if not words:
        return Signals.UNKNOWN
    shell = name_of(words[0]) if name_of(words[0]) in SHELLS else ""
    if shell:
        call = shell_call(words)
        if call.text is not None:
            login = any(re.match(r"-\w*l|--login$", option) for option in call.options)
            reader = _Text(program, script, call.operands, shell in _REPLACES_ITSELF and not login, level)
            return reader.read(call.text)
        words = call.operands
    text = script(words[0]) if words else None
    if text is not None:
        return _Text(program, script, words, False, level).read(text)
    return program(words)


class _Text:
    """One text that a shell runs. ``operands`` are $0, $1, ..."""

    def __init__(
        self, program: Ends, script: FindText, operands: tuple[str, ...], replaces_itself: bool, level: int
    ):
        self.program, self.script, self.level = program, script, level
        self.operands, self.replaces_itself = operands, replaces_itself

    def read(self, text: str) -> Signals:
        root = parse(text)
        if root is None or is_broken(root):
            return Signals.UNKNOWN
        # What a function starts isn't followed.
        outside = walk(root, not_into=("function_definition",))
        commands = [node for node in outside if node.type == "command"]
        if any(self._words(node)[:1] in (("trap",), ("eval",), ("source",), (".",)) for node in commands):
            return Signals.UNKNOWN
        last = self._last(root)
        found = Signals.UNKNOWN
        for node in commands:
            words = self._words(node)
            command = unwrapped(words)
            own = signals(command.words, self.program, self.script, self.level + 1)
            if own is Signals.UNKNOWN:
                continue
            by_itself = self.replaces_itself and node == last and "time" not in command.wrappers
            replaced = "exec" in command.wrappers or by_itself
            found = own if replaced else Signals.LOST
        return found

    def _words(self, node: Node) -> tuple[str, ...]:
        words: list[str] = []
        for each in words_of(node):
            text = text_of(each).strip('"')
            if text in ("$@", "${@}", "$*"):
                words += self.operands[1:]
            elif text in ("$0", "${0}"):
                words += self.operands[:1]
            else:
                words.append(unquoted(each))
        return tuple(words)

    def _last(self, root: Node) -> Node | None:
        """The command that bash replaces itself by: the last one, if nothing is to be done after it or beside it."""
        statements = list(statements_of(root.children))
        if not statements or any(in_background for _, in_background in statements):
            return None
        last = links_of(statements[-1][0])[-1]
        alone = len(last.stages) == 1 and not last.stages[0].redirects and not last.negated
        return last.stages[0].body if alone else None
