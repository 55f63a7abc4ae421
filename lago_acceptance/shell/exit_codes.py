"""The exit codes that a shell text can end with, read without running it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from lago_acceptance.shell.control_flow import (
    EITHER,
    ControlFlow,
    Flow,
    State,
    States,
    Unclear,
    ended,
    negated,
)
from lago_acceptance.shell.parser import (
    is_broken,
    parse,
    text_of,
    unquoted,
    walk,
    words_of,
)
from lago_acceptance.shell.statements import Stage
from lago_acceptance.shell.words import (
    SHELLS,
    SHELLS_CAP,
    name_of,
    option_set,
    shell_call,
    unwrapped,
    with_arguments,
)

if TYPE_CHECKING:
    from tree_sitter import Node

Fails = Callable[[str, list[str]], bool]
"""Whether a command, by its program and its words, fails in any case. Of a script that a shell is given with options the
words are the shell's; one that is sourced has the options of the shell that sources it."""
FindScript = Callable[[str], str | None]
"""Gives the text of a script, None where it isn't known."""

# They succeed whatever they are given.
SUCCEED = frozenset(
    {"true", ":", "echo", "printf", "sleep", "date", "pwd", "hostname", "export", "cd", "set", "trap"}
)
# At the end of a pipeline they succeed whatever comes before.
SWALLOW = SUCCEED | {"cat", "tee", "head", "tail", "wc", "sort", "tr", "sed", "cut"}
# With these a test of an output that is missing can be true.
_TRUE_OF_NOTHING = frozenset({"!", "-z", "!=", "-ne", "-lt", "-le", "-o", "||"})
# An exit code that is kept in a variable, and a test of one.
_KEEPS = re.compile(r'(\w+)=(?:\$\?|"\$\?")')
_TESTS_CODE = re.compile(
    r"""^\[\[?\s+"?\$(?:\?|\{?(\w+)\}?)"?\s+(-eq|-ne|-gt|==?|!=)\s+["']?0["']?\s+\]\]?$"""
)
_ENDS_THE_SHELL = re.compile(r"\b(exit|exec|return|kill)\b|^\s*\$")


def codes(text: str, fails: Fails, script: FindScript = lambda path: None) -> set[int]:
    """The exit codes that a text can have: 0, 1 for any failure, or both; none where it never ends.

    ``fails`` is asked of commands whether they fail in any case; of the others nothing is known. Of a text that
    is too long or too deep, or has a syntax error, nothing is claimed: it can have both. ``script`` gives the texts of
    scripts that it runs.
    """
    return set(_Shells(fails, script).codes(text, State(), 0))


class _Shells:
    """The shells that one text starts inside each other; each text is read once."""

    def __init__(self, fails: Fails, script: FindScript):
        self.fails, self.script = fails, script
        self._known: dict[tuple[str, State], frozenset[int]] = {}

    def codes(self, text: str, state: State, level: int) -> frozenset[int]:
        """The codes of one text in a shell of its own."""
        if (text, state) not in self._known:
            if len(self._known) >= SHELLS_CAP:
                return EITHER
            self._known[text, state] = self._read(text, state, level)
        return self._known[text, state]

    def _read(self, text: str, state: State, level: int) -> frozenset[int]:
        root = parse(text)
        if root is None or is_broken(root):
            return EITHER
        try:
            ends = _Reader(root, self, level).sequence(root.children, {state}, guarded=False)
        except Unclear:
            return EITHER
        return frozenset(end.code for end in ends)


class _Reader(ControlFlow):
    """Knows what the commands of one text end with."""

    def __init__(self, root: Node, shells: _Shells, level: int):
        super().__init__(root, level)
        self.shells = shells

    def simple(self, stage: Stage, state: State, guarded: bool) -> States:
        """The states after a command, a test, an assignment, or redirections alone."""
        if (node := stage.body) is not None:
            match node.type:
                case "command":
                    return self._command(node, stage.redirects, state, guarded)
                case "test_command":
                    return ended(self._test(node, state, guarded), state, guarded)
                case "variable_assignment" if found := _KEEPS.fullmatch(text_of(node)):
                    return frozenset({state._replace(code=0, kept=(found[1], state.code))})
                case "variable_assignment" | "variable_assignments":
                    if state.kept[0] and f"{state.kept[0]}=" in text_of(node):
                        state = state._replace(kept=("", 0))
                    return ended(self._assigned(node, state, guarded), state, guarded)
        return ended({1} if self._lacks(stage.redirects, state, guarded) else {0}, state, guarded)

    def piped(self, last: Stage, stages: list[set[int]], state: State) -> Iterable[int]:
        """The codes of a pipeline, of its last stage and the codes of all its stages."""
        *before, own = stages
        missing = any(each == {1} for each in before)
        if last.body is not None and last.body.type in ("command", "test_command"):
            words = unwrapped(tuple(map(unquoted, words_of(last.body)))).words
            if words and name_of(words[0]) in SWALLOW:
                own = {0}
            elif missing and 1 in own:
                # What reads nothing finds nothing.
                own = {1}
        if state.pipefail:
            return {1} if missing else own | {1} if any(1 in each for each in before) else own
        return own

    def _test(self, node: Node, state: State, guarded: bool) -> Iterable[int]:
        words = text_of(node).split()
        if (told := _of_code(text_of(node), state)) is not None:
            return {told}
        if self.shells.fails(words[0], words):
            return {1}
        return self._tested(words) if self._lacks([node], state, guarded) else EITHER

    def _tested(self, words: Iterable[str]) -> Iterable[int]:
        return {1} if _TRUE_OF_NOTHING.isdisjoint(words) else EITHER

    def _assigned(self, node: Node, state: State, guarded: bool) -> Iterable[int]:
        inner = [each for each in _outermost(node) if each.type == "command_substitution"]
        return self._substituted(inner[-1], state, guarded) if inner else {0}

    def _lacks(self, nodes: Iterable[Node], state: State, guarded: bool) -> bool:
        """Whether a command that these words take the output of fails in any case."""
        return any(
            self._substituted(node, state, guarded) == {1}
            for each in nodes
            for node in _outermost(each)
            if node.type == "command_substitution"
        )

    def _substituted(self, node: Node, state: State, guarded: bool) -> Iterable[int]:
        # Only some shells pass `set -e` on to a substitution.
        ends = self.sequence(node.children, {state, state._replace(errexit=False)}, guarded)
        return {end.code for end in ends}

    def _command(self, node: Node, redirects: tuple[Node, ...], state: State, guarded: bool) -> States:
        words = tuple(map(unquoted, words_of(node)))
        lacks = self._lacks((node, *redirects), state, guarded)
        inverted = 0
        while words[:1] == ("!",):
            words, inverted = words[1:], inverted + 1
        command = unwrapped(words)
        made = self._called(command.words, lacks, state, guarded or inverted > 0)
        if "exec" in command.wrappers and command.words:
            made = frozenset(each._replace(flow=Flow.EXIT) for each in made)
        return frozenset(map(negated, made)) if inverted % 2 else made

    def _called(self, words: tuple[str, ...], lacks: bool, state: State, guarded: bool) -> States:
        if not words:
            return ended({1} if lacks else {0}, state, guarded)
        if words[0] in self.functions:
            return self.function(words[0], state, guarded)
        program = name_of(words[0])
        match program:
            case "exit" | "return":
                flow = Flow.RETURN if program == "return" and self.calls else Flow.EXIT
                return frozenset(state._replace(code=code, flow=flow) for code in _given(words, state))
            case "break" | "continue":
                if words[1:] not in ((), ("1",)):
                    raise Unclear
                return frozenset({state._replace(code=0, flow=Flow[program.upper()])})
            case "set":
                errexit = option_set(words[1:], "e", "errexit", state.errexit)
                pipefail = option_set(words[1:], "", "pipefail", state.pipefail)
                return frozenset({state._replace(code=0, errexit=errexit, pipefail=pipefail)})
            case "source" | "." if len(words) > 1:
                options = ("-e",) if state.errexit and not guarded else ()
                return ended(self._script((program, *options), words[1:]), state, guarded)
            case "trap":
                self._trap(words)
        if program in SHELLS:
            return ended(self._shell(program, words), state, guarded)
        if self.shells.script(words[0]) is not None:
            return ended(self._script((), words), state, guarded)
        return ended(self._program(program, words, lacks), state, guarded)

    def _program(self, program: str, words: tuple[str, ...], lacks: bool) -> Iterable[int]:
        if program in SUCCEED:
            return {0}
        if program == "false" or self.shells.fails(program, list(words)):
            return {1}
        if lacks:
            return self._tested(words) if program == "test" else {1}
        return EITHER

    def _shell(self, program: str, words: tuple[str, ...]) -> Iterable[int]:
        call = shell_call(words)
        if self.shells.fails(program, list(words[:1])):
            return {1}
        if call.text is None:
            return self._script((program, *call.options), call.operands) if call.operands else EITHER
        state = _begun(call.options)
        return self.shells.codes(with_arguments(call.text, call.operands), state, self.level + 1)

    def _script(self, shell: tuple[str, ...], words: tuple[str, ...]) -> Iterable[int]:
        """The codes of a script with its arguments; ``shell`` is what runs it, with options, () if it is called itself."""
        text = self.shells.script(words[0])
        if text is None:
            return self._program(name_of(words[0]), (*shell, *words), lacks=False)
        first = text.splitlines()[0] if text.startswith("#!") else ""
        options = shell[1:] if shell else tuple(first.split()[1:])
        whole = with_arguments(text, words)
        return self.shells.codes(whole, _begun(options), self.level + 1)

    def _trap(self, words: tuple[str, ...]) -> None:
        handler, signals = "".join(words[1:2]), words[2:]
        first = handler.split()[:1]
        if not {"EXIT", "0", "ERR", "DEBUG", "RETURN"}.isdisjoint(signals) and (
            _ENDS_THE_SHELL.search(handler) or (first and first[0] in self.functions)
        ):
            raise Unclear


def _of_code(text: str, state: State) -> int | None:
    """What a test of an exit code against 0 ends with; None where it is another test."""
    found = _TESTS_CODE.search(text)
    if not found or (found[1] and found[1] != state.kept[0]):
        return None
    code = state.kept[1] if found[1] else state.code
    return int((code == 0) != (found[2] in ("-eq", "=", "==")))


def _given(words: tuple[str, ...], state: State) -> Iterable[int]:
    """The code that ``exit`` or ``return`` is given."""
    if words[1:] in ((), ("$?",)):
        return {state.code}
    if state.kept[0] and words[1] in (f"${state.kept[0]}", f"${{{state.kept[0]}}}"):
        return {state.kept[1]}
    return {min(int(words[1]) % 256, 1)} if re.fullmatch(r"[0-9]{1,9}", words[1]) else EITHER


def _begun(options: tuple[str, ...]) -> State:
    """The state of a shell that is started with options."""
    return State(
        errexit=option_set(options, "e", "errexit", False),
        pipefail=option_set(options, "", "pipefail", False),
    )


def _outermost(node: Node) -> Iterable[Node]:
    """All nodes of a word but what is inside of its substitutions."""
    return walk(node, not_into=("command_substitution", "process_substitution", "heredoc_body"))
