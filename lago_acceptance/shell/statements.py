"""Statements as a shell runs them: chains of pipelines of commands with their redirections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from lago_acceptance.shell.parser import REDIRECTS, text_of

if TYPE_CHECKING:
    from tree_sitter import Node


class Stage(NamedTuple):
    """One command of a pipeline, simple or compound, with its redirections; no body where there are only these."""

    body: Node | None
    redirects: tuple[Node, ...] = ()


class Link(NamedTuple):
    """One pipeline of a chain, and the operator before it: "" for the first one, ``&&`` or ``||``."""

    operator: str
    stages: tuple[Stage, ...]
    negated: bool = False


def statements_of(nodes: Iterable[Node]) -> Iterator[tuple[Node, bool]]:
    """The statements among the children of a node, and whether each one runs in the background."""
    statement: Node | None = None
    for node in nodes:
        if node.type == "&" and statement is not None:
            yield statement, True
            statement = None
        elif node.is_named and node.type not in ("comment", "heredoc_body"):
            if statement is not None:
                yield statement, False
            statement = node
    if statement is not None:
        yield statement, False


def links_of(statement: Node) -> list[Link]:
    """A statement as the chain of pipelines that a shell runs.

    The grammar hangs a redirection on the whole chain before it, and what follows ``<<EOF`` below the here-document.
    """
    match statement.type:
        case "list":
            left, right = statement.named_children[0], statement.named_children[-1]
            operator = next((child.type for child in statement.children if child.type in ("&&", "||")), "&&")
            return [*links_of(left), *_after(operator, links_of(right))]
        case "pipeline":
            return _piped([links_of(child) for child in statement.named_children if child.type != "comment"])
        case "negated_command":
            first, *rest = links_of(statement.named_children[-1])
            return [first._replace(negated=not first.negated), *rest]
        case "redirected_statement":
            return _redirected(statement)
        case kind if kind in REDIRECTS:
            return [Link("", (Stage(None, (statement,)),))]
    return [Link("", (Stage(statement),))]


def _after(operator: str, links: list[Link]) -> list[Link]:
    return [links[0]._replace(operator=operator), *links[1:]]


def _piped(parts: list[list[Link]]) -> list[Link]:
    links = parts[0]
    for part in parts[1:]:
        joined = links[-1]._replace(stages=links[-1].stages + part[0].stages)
        links = [*links[:-1], joined, *part[1:]]
    return links


def _redirected(statement: Node) -> list[Link]:
    body = statement.child_by_field_name("body")
    links = [Link("", (Stage(None),))] if body is None else links_of(body)
    redirects = [child for child in statement.named_children if child.type in REDIRECTS]
    heredocs = [child for child in redirects if child.type == "heredoc_redirect"]
    inner = [child for heredoc in heredocs for child in heredoc.named_children]
    redirects += [child for child in inner if child.type in REDIRECTS]
    *stages, last = links[-1].stages
    last = last._replace(redirects=last.redirects + tuple(redirects))
    links = [*links[:-1], links[-1]._replace(stages=(*stages, last))]
    for heredoc in heredocs:
        for child in heredoc.named_children:
            if child.type == "pipeline":
                links = _piped([links, links_of(child)])
        right, operator = heredoc.child_by_field_name("right"), heredoc.child_by_field_name("operator")
        if right is not None and operator is not None:
            links += _after(operator.type, links_of(right))
    return links


def may_fail_to_open(redirect: Node) -> bool:
    """Whether a redirection can fail: it reads a file, or connects to an address."""
    if redirect.type != "file_redirect":
        return False
    operator = next((child.type for child in redirect.children if not child.is_named), "")
    target = redirect.child_by_field_name("destination")
    file = text_of(target) if target is not None else ""
    if operator == "<":
        return file not in ("/dev/null", "/dev/stdin") and not file.startswith("<(")
    return re.search(r"/dev/(tcp|udp)/", file) is not None
