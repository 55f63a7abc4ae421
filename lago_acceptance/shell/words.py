"""A command line as words."""

from __future__ import annotations

import shlex

SHELLS = ("sh", "bash", "dash", "ash", "zsh")
BUILTINS = ("export", "set", "source", ".", "cd", "eval", "if", "for", "while", "{", "(")
# No command that starts a service of Lago is as long, or as deep; such texts are not followed.
LENGTH_CAP, SUBSTITUTIONS_CAP, SCRIPTS_CAP = 100_000, 100, 50
OPERATORS = ("&&", "||", ";", "|", ">", ">>")


def needs_shell(words: tuple[str, ...]) -> bool:
    """Whether a command is written for a shell that nobody starts: ``command: export A=b && ./script``."""
    if not words or words[0].rsplit("/", 1)[-1] in SHELLS:
        return False
    if len(words) == 1:
        words = tuple(words[0].split())
    return words[:1] and words[0] in BUILTINS or any(word in OPERATORS for word in words)


def split(text: str) -> tuple[str, ...]:
    """A command line as words; one word where its quotes don't close, or where it is no command line by its length."""
    if len(text) > LENGTH_CAP:
        return (text,)
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return (text,)
