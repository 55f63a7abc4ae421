"""How a shell text goes on from statement to statement: chains, groups, conditions, loops and functions."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from lago_acceptance.shell.parser import functions_of, is_literal, text_of
from lago_acceptance.shell.statements import Link, Stage, links_of, may_fail_to_open, statements_of

if TYPE_CHECKING:
    from tree_sitter import Node

EITHER = frozenset({0, 1})
SIMPLE = ("command", "test_command", "variable_assignment", "variable_assignments")
# How deep statements, substitutions and shells may be inside each other.
LEVELS_CAP = 50


class Flow(enum.Enum):
    """Where the shell goes on after a statement."""

    NEXT = enum.auto()
    BREAK = enum.auto()
    CONTINUE = enum.auto()
    RETURN = enum.auto()
    EXIT = enum.auto()


class State(NamedTuple):
    """The shell after a statement: its exit code (1 for any failure), where it goes on, ``set -e``, ``pipefail``.

    ``kept`` is the variable that was last given an exit code, and that code.
    """

    code: int = 0
    flow: Flow = Flow.NEXT
    errexit: bool = False
    pipefail: bool = False
    kept: tuple[str, int] = ("", 0)


States = frozenset[State]


class Unclear(Exception):
    """Nothing can be claimed of the text."""


class ControlFlow(ABC):
    """Follows the states of a shell through one text. What its commands end with, subclasses know.

    ``guarded`` is a place where ``set -e`` does not end the shell: a condition, or before && and ||.
    """

    def __init__(self, root: Node, level: int):
        self.level = level
        self.functions = functions_of(root)
        self.calls = 0
        self._known: dict[tuple[str, int, int, State, bool], States] = {}

    @abstractmethod
    def simple(self, stage: Stage, state: State, guarded: bool) -> States:
        """The states after a command, a test, an assignment, or redirections alone."""

    @abstractmethod
    def piped(self, last: Stage, stages: list[set[int]], state: State) -> Iterable[int]:
        """The codes of a pipeline, of its last stage and the codes of all its stages."""

    def sequence(self, nodes: Iterable[Node], states: Iterable[State], guarded: bool) -> States:
        """The states after the statements among these nodes."""
        states = set(states)
        for statement, in_background in statements_of(nodes):
            going = {state for state in states if state.flow is Flow.NEXT}
            states -= going
            for state in going:
                states |= {state._replace(code=0)} if in_background else self._once(statement, state, guarded)
        return frozenset(states)

    def _once(self, statement: Node, state: State, guarded: bool) -> States:
        key = (statement.type, statement.start_byte, statement.end_byte, state, guarded)
        if key not in self._known:
            if self.level >= LEVELS_CAP:
                raise Unclear
            self.level += 1
            self._known[key] = self._chain(links_of(statement), state, guarded)
            self.level -= 1
        return self._known[key]

    def _chain(self, links: list[Link], state: State, guarded: bool) -> States:
        states = {state}
        for number, link in enumerate(links):
            wanted = {"&&": (0,), "||": (1,)}.get(link.operator, (0, 1))
            going = {each for each in states if each.flow is Flow.NEXT and each.code in wanted}
            states -= going
            for before in going:
                states |= self._pipeline(link, before, guarded or number < len(links) - 1)
        return frozenset(states)

    def _pipeline(self, link: Link, state: State, guarded: bool) -> States:
        guarded = guarded or link.negated
        if len(link.stages) == 1:
            made = self._stage(link.stages[0], state, guarded)
        else:
            stages = [{each.code for each in self._stage(stage, state, guarded)} for stage in link.stages]
            made = ended(self.piped(link.stages[-1], stages, state), state, guarded)
        return frozenset(map(negated, made)) if link.negated else made

    def _stage(self, stage: Stage, state: State, guarded: bool) -> States:
        if stage.body is None or stage.body.type in SIMPLE:
            made = self.simple(stage, state, guarded)
        else:
            made = self._compound(stage.body, state, guarded)
        if any(map(may_fail_to_open, stage.redirects)):
            made |= ended({1}, state, guarded)
        return made

    def _compound(self, node: Node, state: State, guarded: bool) -> States:
        match node.type:
            case "compound_statement" if node.children[0].type == "((":
                return ended(EITHER, state, guarded)
            case "compound_statement":
                return self.sequence(node.children, {state}, guarded)
            case "subshell":
                inner = self.sequence(node.children, {state}, guarded)
                return ended({each.code for each in inner}, state, guarded)
            case "function_definition" | "declaration_command" | "unset_command":
                return ended({0}, state, guarded)
            case "if_statement":
                return self._if(node, state, guarded)
            case "while_statement":
                return self._while(node, state, guarded)
            case "for_statement" | "c_style_for_statement" if node.children[0].type == "for":
                return self._for(node, state, guarded)
            case "case_statement":
                return self._case(node, state, guarded)
        raise Unclear

    def _if(self, node: Node, state: State, guarded: bool) -> States:
        going, found = {state}, set()
        for condition, body in _arms(node):
            asked = self.sequence(condition, going, guarded=True) if condition else going
            yes = {each for each in asked if each.flow is Flow.NEXT and (each.code == 0 or not condition)}
            going = {each for each in asked if each.flow is Flow.NEXT} - yes
            found |= {each for each in asked if each.flow is not Flow.NEXT}
            found |= self.sequence(body, yes, guarded)
        return frozenset(found | {each._replace(code=0) for each in going})

    def _while(self, node: Node, state: State, guarded: bool) -> States:
        """A loop that asks for what never comes has no end, and no exit code."""
        body = node.child_by_field_name("body")
        condition = node.children[1:-1]
        wanted = 1 if node.children[0].type == "until" else 0
        left: set[State] = set()
        waiting, seen = [state._replace(code=0)], set()
        while waiting:
            begun = waiting.pop()
            if begun in seen:
                continue
            seen.add(begun)
            for asked in self.sequence(condition, {begun}, guarded=True):
                if asked.flow is not Flow.NEXT:
                    _leave({asked}, waiting, left)
                elif asked.code == wanted:
                    _leave(self.sequence(body.children if body else (), {asked}, guarded), waiting, left)
                else:
                    left.add(asked._replace(code=begun.code))
        return frozenset(left)

    def _for(self, node: Node, state: State, guarded: bool) -> States:
        body = node.child_by_field_name("body")
        left = (
            set() if any(map(is_literal, node.children_by_field_name("value"))) else {state._replace(code=0)}
        )
        waiting, seen = [state], set()
        while waiting:
            begun = waiting.pop()
            if begun not in seen:
                seen.add(begun)
                going: list[State] = []
                _leave(self.sequence(body.children if body else (), {begun}, guarded), going, left)
                left.update(going)
                waiting += going
        return frozenset(left)

    def _case(self, node: Node, state: State, guarded: bool) -> States:
        found: set[State] = set()
        any_other = False
        for item in node.named_children:
            if item.type != "case_item":
                continue
            if item.child_by_field_name("fallthrough") is not None:
                raise Unclear
            patterns = item.children_by_field_name("value")
            any_other = any_other or any(text_of(pattern) == "*" for pattern in patterns)
            body = [child for child in item.children if child not in patterns]
            empty = next(statements_of(body), None) is None
            found |= {state._replace(code=0)} if empty else self.sequence(body, {state}, guarded)
        return frozenset(found if any_other else found | {state._replace(code=0)})

    def function(self, name: str, state: State, guarded: bool) -> States:
        """The states after a call of one of the text's own functions."""
        bodies = self.functions[name]
        if len(bodies) != 1 or self.level >= LEVELS_CAP:
            raise Unclear
        self.calls += 1
        self.level += 1
        made = self.sequence([bodies[0]], {state}, guarded)
        self.level -= 1
        self.calls -= 1
        returned = {each._replace(flow=Flow.NEXT) for each in made if each.flow is not Flow.EXIT}
        after = {each for one in returned for each in ended({one.code}, one, guarded)}
        return frozenset(after | {each for each in made if each.flow is Flow.EXIT})


def ended(codes: Iterable[int], state: State, guarded: bool) -> States:
    """The states after a command that ends with these codes."""
    stops = state.errexit and not guarded
    return frozenset(
        state._replace(code=code, flow=Flow.EXIT if code and stops else Flow.NEXT) for code in codes
    )


def negated(state: State) -> State:
    """The state after ``!``."""
    return state._replace(code=1 - state.code) if state.flow is Flow.NEXT else state


def _leave(ends: Iterable[State], again: list[State], left: set[State]) -> None:
    """Sorts what a loop's body ends with: into the next turn, or out of the loop."""
    for end in ends:
        if end.flow in (Flow.NEXT, Flow.CONTINUE):
            again.append(end._replace(flow=Flow.NEXT))
        else:
            left.add(end._replace(flow=Flow.NEXT) if end.flow is Flow.BREAK else end)


def _arms(node: Node) -> list[tuple[list[Node], list[Node]]]:
    """The arms of an ``if``: what each asks (nothing after ``else``), and what it does."""
    inner = [child for child in node.children if child.type in ("elif_clause", "else_clause")]
    own = [child for child in node.children[1:] if child not in inner]
    if node.type == "else_clause":
        return [([], own)]
    then = next((at for at, child in enumerate(own) if child.type == "then"), len(own))
    return [(own[:then], own[then + 1 :]), *(arm for child in inner for arm in _arms(child))]
