"""What a container's command does to its environment, read without running it.

A shell wrapper around Lago's script is followed as far as it sets variables: literals are computed, files that are
known are read, and of the rest the shape is kept (a PEM put through ``base64`` is base64 of a PEM).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lago_acceptance.shell.ruby import follow_ruby, ruby_call
from lago_acceptance.shell.script import SCRIPTS_CAP, Script
from lago_acceptance.shell.values import AbstractValue, Read
from lago_acceptance.shell.words import OPERATORS, SHELLS, name_of, needs_shell, shell_call, unwrapped

FindScript = Callable[[str], str | None]
"""Gives the text of a script inside the container, None where it isn't known."""


@dataclass
class ShellState:
    """What a command leaves behind: variables, exports, exports without quotes, files it writes, programs it starts.

    ``unseen`` says what may have set any variable although its text isn't known (a sourced file, ``eval``,
    ``export $(...)``), "" if nothing did.
    """

    variables: dict[str, AbstractValue]
    exported: set[str] = field(default_factory=set)
    unquoted: list[str] = field(default_factory=list)
    writes: dict[str, AbstractValue] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    programs: list[tuple[str, ...]] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    unseen: str = ""

    def export(self, name: str, value: AbstractValue, origin: str = "shell") -> None:
        """Sets a variable for the programs to come."""
        self.assign(name, value, origin)
        self.exported.add(name)

    def note_unseen(self, why: str) -> None:
        """Notes that something unknown may have set variables; the first reason stays."""
        self.unseen = self.unseen or why

    def assign(self, name: str, value: AbstractValue, origin: str = "shell") -> None:
        """Sets a variable."""
        self.variables[name] = replace(value, origin=value.origin or origin)


def follow(
    words: tuple[str, ...], environment: dict[str, AbstractValue], read: Read, script: FindScript
) -> ShellState:
    """What the command ``words`` does to its environment.

    ``read`` gives the content of a file inside the container; ``script`` the text of a script there, or None.
    """
    container = Container(ShellState(dict(environment)), read, script)
    container.run(words)
    return container.state


class Container:
    """What all scripts of one command share: the state, the files, and how much was followed."""

    def __init__(self, state: ShellState, read: Read, script: FindScript):
        self.state, self.script, self._read = state, script, read
        self.scripts = self.level = 0

    def read(self, path: str) -> AbstractValue:
        """The content of a file, as the command finds it there or wrote it before."""
        self.state.reads.add(path)
        return self.state.writes.get(path) or self._read(path)

    def run(self, words: tuple[str, ...]) -> None:
        """Follows a command: a wrapper, a shell, a script, or else a program that is only noted."""
        command = unwrapped(words)
        for name, value in command.variables.items():
            self.state.export(name, AbstractValue.of(value), "env")
        words = command.words
        if not words:
            return
        shell = "sh"
        if name_of(words[0]) in SHELLS:
            inner = shell_call(words)
            if inner.text is not None:
                return self._follow(inner.text, inner.operands[1:], name_of(words[0]))
            words = inner.operands
        elif needs_shell(words):
            return self._follow(_as_text(words), (), shell)
        if (call := ruby_call(words, self.script)) and self._may_follow():
            return follow_ruby(call, self)
        text = self.script(words[0]) if words else None
        if text is not None and not (text.startswith("#!") and "sh" not in text.splitlines()[0]):
            return self._follow(text, words[1:], shell)
        self.state.programs.append(words)

    def _may_follow(self) -> bool:
        self.scripts += 1
        return self.scripts <= SCRIPTS_CAP

    def _follow(self, text: str, arguments: tuple[str, ...], shell: str) -> None:
        Script(self, arguments, shell).run(text)


def _as_text(words: tuple[str, ...]) -> str:
    """A command that needs a shell, as the text that was meant for it."""
    return (
        words[0]
        if len(words) == 1
        else " ".join(word if word in OPERATORS else _quoted(word) for word in words)
    )


def _quoted(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals and ("$(" in value or " " in value):
        value = '"' + value.replace('"', '\\"') + '"'
    return f"{name}{equals}{value}"
