"""Command lines as words: how they split, whether they need a shell, and what a shell or a wrapper is to run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import NamedTuple

from lago_acceptance.shell.parser import LENGTH_CAP

OPERATORS = ("&&", "||", ";", "|", ">", ">>")
# Signs that a word was meant for a shell: "cd /app;" and "2>&1", but not nginx's "daemon off;".
_FOR_SHELL = re.compile(r"[^\s;]+;|[12&]?>>?(&[12]|[\w./-]+)|&")
SHELLS = ("sh", "bash", "dash", "ash", "zsh")
# How many shells a text may start inside each other.
SHELLS_CAP = 100
BUILTINS = ("export", "set", "source", ".", "cd", "eval", "if", "for", "while", "{", "(")
# Programs that run another one: their short options that take a value, and the operands before that program.
WRAPPERS = {
    "exec": ("a", 0),
    "command": ("", 0),
    "time": ("fo", 0),
    "env": ("uCS", 0),
    "nice": ("n", 0),
    "nohup": ("", 0),
    "setsid": ("", 0),
    "sudo": ("ughpCDRTU", 0),
    "timeout": ("ks", 1),
    "gosu": ("", 1),
    "su-exec": ("", 1),
    "tini": ("pe", 0),
    "dumb-init": ("r", 0),
}
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def split(text: str) -> tuple[str, ...]:
    """A command line as words; one word where a quote is not closed, or where the text is too long to be one."""
    if len(text) > LENGTH_CAP:
        return (text,)
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return (text,)


def name_of(word: str) -> str:
    """The name of a program, without the folders before it."""
    return word.rsplit("/", 1)[-1]


def needs_shell(words: tuple[str, ...]) -> bool:
    """Whether a command is written for a shell but starts none: ``command: export A=b && ./script``."""
    words = unwrapped(words).words
    if not words or name_of(words[0]) in SHELLS:
        return False
    if len(words) == 1:
        words = tuple(words[0].split())
    return words[:1] != () and (
        words[0] in BUILTINS
        or _ASSIGNMENT.match(words[0]) is not None
        or any(word in OPERATORS or _FOR_SHELL.fullmatch(word) for word in words)
    )


class ShellCall(NamedTuple):
    """How a shell is called: its options, the text after ``-c``, and the operands (after ``-c``: $0, $1, ...)."""

    options: tuple[str, ...]
    text: str | None
    operands: tuple[str, ...]


def shell_call(words: tuple[str, ...]) -> ShellCall:
    """What a command that begins with a shell runs: the text after ``-c``, or the script that comes first."""
    at, inline = 1, False
    while at < len(words) and re.match(r"[-+]\w|--\w", words[at]):
        short = "" if words[at].startswith("--") else words[at][1:]
        inline = inline or (words[at].startswith("-") and "c" in short)
        at += 2 if short.endswith(("o", "O")) else 1
    options, rest = words[1:at], words[at:]
    if rest[:1] == ("--",):
        rest = rest[1:]
    return ShellCall(options, rest[0], rest[1:]) if inline and rest else ShellCall(options, None, rest)


class Unwrapped(NamedTuple):
    """A command without what only runs it: the wrappers' names, the variables that they set, and the command."""

    wrappers: tuple[str, ...]
    variables: dict[str, str]
    words: tuple[str, ...]


def unwrapped(words: tuple[str, ...]) -> Unwrapped:
    """A command without ``exec``, ``env A=b``, ``timeout 5`` and the like before it."""
    wrappers: list[str] = []
    variables: dict[str, str] = {}
    while words and (wrapper := name_of(words[0])) in WRAPPERS:
        if wrapper == "command" and words[1:2] in (("-v",), ("-V",)):
            break
        wrappers.append(wrapper)
        with_value, operands = WRAPPERS[wrapper]
        at = 1
        while at < len(words) and (words[at].startswith("-") or _ASSIGNMENT.match(words[at])):
            if _ASSIGNMENT.match(words[at]):
                name, _, variables[name] = words[at].partition("=")
            takes_value = len(words[at]) == 2 and words[at][1] in with_value
            at += 2 if takes_value else 1
            if words[at - 1] == "--" and not takes_value:
                break
        words = words[at + operands :]
    return Unwrapped(tuple(wrappers), variables, words)


def option_set(options: Iterable[str], letter: str, name: str, before: bool) -> bool:
    """Whether an option of ``set`` or of a shell is on after these words, by its letter or by its long name."""
    on, named = before, None
    for word in options:
        if named is not None:
            on, named = (named if word == name else on), None
        elif word == "--" or not re.match(r"[-+]\w", word):
            break
        else:
            letters, switched = word[1:], word[0] == "-"
            on = switched if letter and letter in letters else on
            named = switched if letters.endswith("o") else None
    return on


def with_arguments(text: str, operands: tuple[str, ...]) -> str:
    """The text after ``-c`` with its operands where it hands them all on."""
    return text.replace('"$@"', shlex.join(operands[1:])).replace('"$0"', shlex.join(operands[:1]))
