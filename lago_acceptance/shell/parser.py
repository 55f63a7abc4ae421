"""The shell parser: tree-sitter's grammar for bash, with limits, and what both readers ask of its nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Parser

# No command or healthcheck is as long or as deep.
LENGTH_CAP, DEPTH_CAP, SUBSTITUTIONS_CAP = 50_000, 100, 100
# After a syntax error, and in a pipeline, the parser's time grows with the square of these.
SEPARATORS_CAP = 5_000
_SEPARATOR = re.compile(r"[][|;&()\n]|<<")
_SUBSTITUTION = re.compile(r"\$\(|`")
# The grammar's scanner asks C's tables for the class of each character, and reads past their end beyond Latin-1: far enough
# beyond, the process dies.
_BEYOND_TABLES = re.compile(r"[^\x00-\xff]")
_CAPS = {_SEPARATOR: SEPARATORS_CAP, _SUBSTITUTION: SUBSTITUTIONS_CAP}
_RESERVED = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "in", "}"})
REDIRECTS = ("file_redirect", "heredoc_redirect", "herestring_redirect")


@cache
def _language() -> Language:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Language(tree_sitter_bash.language())


def _parser() -> Parser:
    """A parser of its own for each text: its scanner keeps state, and two threads must not share one."""
    import tree_sitter

    return tree_sitter.Parser(_language())


@lru_cache(256)
def parse(text: str) -> Node | None:
    """The root of a text's tree; None for a text that can't be read: too long, too deep, or with characters beyond Latin-1."""
    source = text.encode("utf-8", "replace")
    if len(text) > LENGTH_CAP or _BEYOND_TABLES.search(source.decode()):
        return None
    if any(len(sign.findall(text)) > cap for sign, cap in _CAPS.items()):
        return None
    root = _parser().parse(source).root_node
    return None if _deeper_than(DEPTH_CAP, root) else root


def _deeper_than(cap: int, root: Node) -> bool:
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > cap:
            return True
        waiting += [(child, depth + 1) for child in node.children]
    return False


def is_broken(root: Node) -> bool:
    """Whether the text has a syntax error.

    ``3<>file`` has none, though the grammar does not know it; ``fi`` alone has, though the grammar calls it a command.
    """
    return any(
        node.is_missing
        or (node.is_error and not _opens_for_both(node))
        or (node.type == "command_name" and text_of(node) in _RESERVED)
        for node in walk(root)
    )


def _opens_for_both(error: Node) -> bool:
    return text_of(error) == ">" and error.parent is not None and error.parent.type == "file_redirect"


def walk(node: Node, *, not_into: tuple[str, ...] = ()) -> Iterator[Node]:
    """A node and all below it, in the order of the text; nothing below nodes of the types ``not_into``."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        if node.type not in not_into:
            waiting += reversed(node.children)


def text_of(node: Node) -> str:
    """The text of a node, as it is written."""
    return (node.text or b"").decode("utf-8", "replace")


def words_of(command: Node) -> list[Node]:
    """The words of a command, its name first; neither the variables set for it nor its redirections."""
    return [
        child.named_children[0] if child.type == "command_name" and child.named_children else child
        for child in command.named_children
        if child.type not in ("variable_assignment", *REDIRECTS)
    ]


def plain(node: Node) -> str | None:
    """The value of a word, or of a part of one, that is written out; None where the shell computes it."""
    text = text_of(node)
    match node.type:
        case "word":
            return re.sub(r"\\(.)", r"\1", text)
        case "string_content":
            return re.sub(r'\\(["\\$`])', r"\1", text)
        case "number" | "variable_name":
            return text
        case "raw_string":
            return text[1:-1]
        case "ansi_c_string":
            return text[2:-1].replace("\\n", "\n")
    return None


def parts_of(node: Node) -> Iterator[Node | str]:
    """What a string or a concatenation consists of: nodes, and the blanks between them that the grammar leaves out."""
    inside = 1 if node.type == "string" else 0
    source, at = node.text or b"", inside
    for child in node.named_children:
        start = child.start_byte - node.start_byte
        if start > at:
            yield source[at:start].decode("utf-8", "replace")
        yield child
        at = child.end_byte - node.start_byte
    if at < len(source) - inside:
        yield source[at : len(source) - inside].decode("utf-8", "replace")


def unquoted(node: Node) -> str:
    """A word without its quotes; what the shell would expand is left as it is written."""
    if node.type in ("string", "concatenation"):
        return "".join(part if isinstance(part, str) else unquoted(part) for part in parts_of(node))
    value = plain(node)
    return text_of(node) if value is None else value


def is_literal(node: Node) -> bool:
    """Whether nothing in a word is left to the shell to expand."""
    if node.type in ("string", "concatenation"):
        return all(isinstance(part, str) or is_literal(part) for part in parts_of(node))
    return plain(node) is not None


def functions_of(root: Node) -> dict[str, list[Node]]:
    """The bodies of the functions that a text defines, by their names."""
    found: dict[str, list[Node]] = {}
    for node in walk(root):
        if node.type == "function_definition":
            name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
            if name is not None and body is not None:
                found.setdefault(text_of(name), []).append(body)
    return found
