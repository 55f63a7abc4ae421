"""The programs that a shell text may call, read without running it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lago_acceptance.shell.parser import (
    functions_of,
    is_broken,
    is_literal,
    parse,
    unquoted,
    walk,
    words_of,
)
from lago_acceptance.shell.words import SHELLS, SHELLS_CAP, name_of, shell_call, unwrapped, with_arguments

if TYPE_CHECKING:
    from tree_sitter import Node

_NO_PROGRAMS = frozenset({"exit", "return", "break", "continue"})


@lru_cache(256)
def programs(text: str) -> frozenset[str]:
    """The names of the programs that a text may call, those of substitutions and of inner shells included.

    Of a text with a syntax error nothing is claimed: it has none.
    """
    called: set[str] = set()
    waiting, read = [text], 0
    while waiting and read < SHELLS_CAP:
        root = parse(waiting.pop())
        read += 1
        if root is None or is_broken(root):
            continue
        found: set[str] = set()
        for node in walk(root):
            if node.type == "command":
                found |= _called_by(node, waiting)
            elif node.type in ("test_command", "declaration_command", "unset_command"):
                found.add(node.children[0].type)
        called |= found - functions_of(root).keys() - _NO_PROGRAMS
    return frozenset(called)


def _called_by(command: Node, texts: list[str]) -> set[str]:
    """The programs that one command calls; the shell texts among its words are added to ``texts``."""
    nodes = words_of(command)
    words = tuple(map(unquoted, nodes))
    while words[:1] == ("!",):
        words = words[1:]
    words = unwrapped(words).words
    if not words or not is_literal(nodes[len(nodes) - len(words)]):
        return set()
    program = name_of(words[0])
    if program == "trap":
        texts += words[1:2]
    elif program == "eval":
        texts.append(" ".join(words[1:]))
    elif program in SHELLS:
        call = shell_call(words)
        if call.text is None:
            return {program, *map(name_of, call.operands[:1])}
        texts.append(with_arguments(call.text, call.operands))
    return {program}
