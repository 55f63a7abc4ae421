"""The exit codes that a shell text can end with, read without running it: of a healthcheck, or of a migration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# They succeed whatever they are given.
SUCCEED = frozenset(
    {"true", ":", "echo", "printf", "sleep", "date", "pwd", "hostname", "export", "cd", "set", "trap"}
)
# At the end of a pipeline they succeed whatever comes before.
SWALLOW = SUCCEED | {"cat", "tee", "head", "tail", "wc", "sort", "tr", "sed", "cut"}
_BEFORE_A_PROGRAM = {"exec", "command", "time", "nice", "sudo", "env", "timeout", "gosu", "su-exec", "!"}
_SHELLS = {"sh", "bash", "ash", "dash"}
_TOKEN = re.compile(
    r"""[ \t\r]*(?:(?P<comment>(?<!\S)\#[^\n]*)|(?P<operator>\n|;;|&&|\|\||[;|&()])|(?P<word>(?:\$\((?:[^()]|\([^()]*\))*\)|`[^`]*`|"(?:\\.|[^"\\])*"|'[^']*'|\\.|\d*>&\d|&>|[^\s;|&()'"`\\])+))""",
    re.VERBOSE,
)
_CLOSING = {"then", "elif", "else", "fi", "do", "done", "}", ")", ";;", "esac"}
# A code, and whether the script ended with it.
State = tuple[int, bool]
# No healthcheck is as long or as deep; of such texts nothing is said.
LENGTH_CAP, DEPTH_CAP = 20_000, 40
Fails = Callable[[str, list[str]], bool]
MAY_FAIL: frozenset[State] = frozenset({(0, False), (1, False)})


def programs(text: str) -> set[str]:
    """The names of the programs that a shell text may call, those of its substitutions and inner shells included."""
    called: set[str] = set()

    def noted(program: str, words: list[str]) -> bool:
        called.add(program)
        return False

    codes(text, noted)
    return called


def codes(text: str, fails: Fails) -> set[int]:
    """The exit codes that a shell text can have: 0, 1 for any failure, or both.

    ``fails`` is asked of each command (its program, its words) whether it fails in any case; of the others
    nobody knows.
    """
    if len(text) > LENGTH_CAP or len(re.findall(r"[({]|\b(?:if|while|until)\b", text)) > DEPTH_CAP:
        return {0, 1}
    reader = _Reader(text, fails)
    return {code for code, _ in reader.sequence({(0, False)}, ())}


class _Reader:
    """Reads a shell text once, from left to right."""

    def __init__(self, text: str, fails: Fails):
        self.tokens = list(_tokens(text))
        self.at = 0
        self.fails = fails
        self.stops = False
        self.pipes_fail = False

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def sequence(self, states: set[State], until: tuple[str, ...]) -> set[State]:
        while self.at < len(self.tokens) and self._next() not in until:
            if self._next() in (";", "\n", "&") or self._next() in _CLOSING:
                self.at += 1
                continue
            states = self._chain(states)
        return states

    def _chain(self, states: set[State]) -> set[State]:
        states, chained = self._after(states, self._pipeline), False
        while (operator := self._next()) in ("&&", "||"):
            self.at += 1
            wanted = operator == "&&"
            chained = operator == "||"
            going = {state for state in states if not state[1] and (state[0] == 0) == wanted}
            resting = states - going
            states = resting | self._after(going, self._pipeline)
        if self._next() == "&":
            return {(0, ended) for _, ended in states}
        if self.stops and not chained:
            states = {(code, ended or code != 0) for code, ended in states}
        return states

    def _after(self, states: set[State], part: Callable[[set[State]], set[State]]) -> set[State]:
        """What follows states; the text is read in any case."""
        going = {state for state in states if not state[1]}
        made = part(going or {(0, False)})
        return (states - going) | made if going else states

    def _pipeline(self, before: set[State]) -> set[State]:
        inverted = False
        while self._next() == "!":
            self.at += 1
            inverted = not inverted
        made, missing, last = self._command(before), False, ""
        while self._next() == "|":
            self.at += 1
            missing = missing or made <= {(1, False)}
            last = self._next()
            made = self._command(before)
            made = {(code, False) for code, _ in made}
        if missing and self.pipes_fail:
            made = {(1, False)}
        elif last in SWALLOW:
            made = {(0, False)}
        elif missing:
            made = {(1, False)}
        return {(1 - code, ended) for code, ended in made} if inverted else made

    def _command(self, before: set[State]) -> set[State]:
        while self._next() == "\n":
            self.at += 1
        first = self._next()
        if first in ("(", "{"):
            self.at += 1
            made = self.sequence(before, (")" if first == "(" else "}",))
            self.at += 1
            return {(code, False) for code, _ in made} if first == "(" else made
        if first == "if":
            return self._if(before)
        if first in ("while", "until"):
            return self._loop(first, before)
        if first in ("for", "case"):
            self.at += 1
            made = self.sequence(before, ("esac" if first == "case" else "done",))
            self.at += 1
            return made | MAY_FAIL
        words: list[str] = []
        while self.at < len(self.tokens) and self._next() not in (
            "\n",
            ";",
            ";;",
            "&&",
            "||",
            "|",
            "&",
            "(",
            ")",
        ):
            words.append(self._next())
            self.at += 1
        return self._simple(words, before) if words else self._stray(before)

    def _loop(self, kind: str, before: set[State]) -> set[State]:
        """A loop that asks for what never comes has no end, and no exit code."""
        self.at += 1
        asked = self.sequence(before, ("do",))
        self.at += 1
        done = self.sequence({(0, False)}, ("done",))
        self.at += 1
        ends = (0, False) if kind == "until" else (1, False)
        left = {(0, False)} | {state for state in done if not state[1]} if ends in asked else set()
        return left | {state for state in asked | done if state[1]}

    def _stray(self, before: set[State]) -> set[State]:
        self.at += 1
        return set(before)

    def _if(self, before: set[State]) -> set[State]:
        found: set[State] = set()
        going = before
        while self._next() in ("if", "elif"):
            self.at += 1
            asked = self.sequence(going, ("then",))
            self.at += 1
            found |= {state for state in asked if state[1]}
            yes = {state for state in asked if state == (0, False)}
            going = {(0, False) for state in asked if state == (1, False)}
            found |= self._branch(yes)
        if self._next() == "else":
            self.at += 1
            found |= self._branch(going)
        else:
            found |= going
        self.at += 1
        return found or set(before)

    def _branch(self, states: set[State]) -> set[State]:
        made = self.sequence(states or {(0, False)}, ("elif", "else", "fi"))
        return made if states else set()

    def _simple(self, words: list[str], before: set[State]) -> set[State]:
        substituted = [inner for word in words for inner in _substitutions(word)]
        missing = any(codes(inner, self.fails) == {1} for inner in substituted)
        while words and (re.match(r"[A-Za-z_]\w*=", words[0]) or words[0] in _BEFORE_A_PROGRAM):
            prefix = words.pop(0)
            while prefix in ("timeout", "nice", "env", "sudo") and words and re.match(r"-|\d", words[0]):
                words.pop(0)
        opens = any(re.match(r"\d*<", word) for word in words)
        words = [word for word in words if not re.match(r"\d*[<>]|&>", word)]
        if not words:
            return {(1, False)} if missing else set(MAY_FAIL) if opens else {(0, False)}
        program = _bare(words[0]).rsplit("/", 1)[-1]
        if program in ("exit", "return"):
            return self._exit(words[1:], before)
        if program in _SHELLS and any(word.startswith("-") and word.endswith("c") for word in words[1:-1]):
            return self._shell(words)
        if self.fails(program, [_bare(word) for word in words]) or missing:
            return {(0, False)} if program in SUCCEED else {(1, False)}
        if program == "set":
            options = " ".join(words[1:])
            self.stops = (
                self.stops or bool(re.search(r"(^| )-\w*e|errexit", options))
            ) and "+e" not in options
            self.pipes_fail = self.pipes_fail or "pipefail" in options
        if program == "false":
            return {(1, False)}
        return {(0, False)} if program in SUCCEED else set(MAY_FAIL)

    def _exit(self, words: list[str], before: set[State]) -> set[State]:
        if words and words[0].isdigit():
            return {(min(int(words[0]), 1), True)}
        return {(code, True) for code, _ in before}

    def _shell(self, words: list[str]) -> set[State]:
        at = next(number for number, word in enumerate(words) if word.startswith("-") and word.endswith("c"))
        inner = _bare(words[at + 1]) if at + 1 < len(words) else ""
        for name, given in (('"$@"', words[at + 3 :]), ('"$0"', words[at + 2 : at + 3])):
            inner = inner.replace(name, " ".join(given))
        reader = _Reader(inner, self.fails)
        reader.stops = any(re.match(r"-\w*e", word) for word in words[: at + 1])
        reader.pipes_fail = "pipefail" in words[: at + 1]
        return {(code, False) for code, _ in reader.sequence({(0, False)}, ())}


def _tokens(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text):
        if token := found["operator"] or found["word"]:
            yield token


def _bare(word: str) -> str:
    """A word without the quotes around it."""
    if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'":
        inner = word[1:-1]
        return re.sub(r"\\([\"\\$`])", r"\1", inner) if word[0] == '"' else inner
    return word


def _substitutions(word: str) -> list[str]:
    """The commands whose output a word takes, those in single quotes left out."""
    if word.startswith("'"):
        return []
    return [one or other for one, other in re.findall(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`", word)]
