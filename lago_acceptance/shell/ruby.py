"""Ruby code that starts a service: what it sets in ENV and what it execs, read without running it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from lago_acceptance.shell.filters import encoded, ruby_value
from lago_acceptance.shell.parser import LENGTH_CAP
from lago_acceptance.shell.values import UNKNOWN, AbstractValue
from lago_acceptance.shell.words import name_of

if TYPE_CHECKING:
    from lago_acceptance.shell.dataflow import Container, FindScript

# No code that starts a service is as long; what is, sets what nobody can tell.
STATEMENTS_CAP, LOCALS_CAP = 500, 50
_NAME = r"""\s*(?:"(\w+)"|'(\w+)')\s*"""
_SETS = re.compile(rf"\bENV\s*(?:\[{_NAME}\]\s*(?:\|\|)?=(?![=~])|\.store\({_NAME},)\s*(.+)", re.DOTALL)
# Names that are computed, or that come from a file.
_SETS_ANYTHING = re.compile(
    r"""\bENV\s*(?:\[(?!\s*["'])[^]]*\]\s*(?:\|\|)?=(?!=)|\.(?:update|merge!|replace)\b|\.store\((?!\s*["']))"""
    r"|\bDotenv\b|\beval\b|\binstance_eval\b"
)
_READS = re.compile(rf"\bENV(?:\.fetch)?\s*[\[(]{_NAME}(?:,[^)\]]*)?[\])]")
_LOCAL = re.compile(r"([A-Za-z_]\w*)\s*=(?![=~>])\s*(.+)", re.DOTALL)
_EXECS = re.compile(r"(?:Kernel\.|Process\.)?(?:exec|system|spawn)\b\s*\(?(.*)", re.DOTALL)
_TEXT = re.compile(r""""((?:\\.|[^"\\#]|#(?!\{))*)"|'((?:\\.|[^'\\])*)'""", re.DOTALL)
_WORDS = re.compile(r"\*?%w[\[({<](.*?)[\])}>]", re.DOTALL)
_ENCODES = re.compile(r"encode64\b|\bpack\b")
_PAIR = re.compile(rf"{_NAME}=>\s*(.+)", re.DOTALL)
_CLOSES = {"(": ")", "[": "]", "{": "}"}


class RubyCall(NamedTuple):
    """A program in Ruby: its code, and the arguments that it gets."""

    code: str
    arguments: tuple[str, ...]


def ruby_call(words: tuple[str, ...], script: FindScript) -> RubyCall | None:
    """The code that a command runs: ``ruby -e``, ``ruby file`` or a file of Ruby; None where it isn't known."""
    if words[:2] == ("bundle", "exec"):
        words = words[2:]
    if not words:
        return None
    if name_of(words[0]) != "ruby":
        text = script(words[0])
        first = text.splitlines()[0] if text else ""
        is_ruby = first.startswith("#!") and "ruby" in first
        return RubyCall(text, words[1:]) if text and is_ruby else None
    codes: list[str] = []
    at = 1
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        if words[at] == "-e":
            codes += words[at + 1 : at + 2]
        at += 2 if words[at] in ("-e", "-r", "-I", "-C") else 1
    rest = words[at + 1 :] if words[at : at + 1] == ("--",) else words[at:]
    if codes:
        return RubyCall("\n".join(codes), rest)
    text = script(rest[0]) if rest else None
    return None if text is None else RubyCall(text, rest[1:])


def execs(code: str) -> bool:
    """Whether code in Ruby starts another program in its place."""
    return any(_EXECS.match(statement) for statement in _statements(code))


def follow_ruby(call: RubyCall, container: Container) -> None:
    """Follows code in Ruby as far as it sets variables and starts a program."""
    if _SETS_ANYTHING.search(call.code) or len(call.code) > LENGTH_CAP:
        container.state.note_unseen("its command sets variables in Ruby whose names are computed")
    _Ruby(call, container).run()


class _Ruby:
    """One program in Ruby, followed from top to bottom; what is inside of conditions is followed, too."""

    def __init__(self, call: RubyCall, container: Container):
        self.call, self.container = call, container
        self.locals: dict[str, str] = {}

    def run(self) -> None:
        for statement in _statements(self.call.code):
            if found := _SETS.search(statement):
                name = next(filter(None, found.groups()[:4]))
                self.container.state.export(name, self._value(found[5]), "ruby")
            elif found := _EXECS.match(statement):
                self._exec(found[1])
            elif (found := _LOCAL.match(statement)) and len(self.locals) < LOCALS_CAP:
                self.locals[found[1]] = self._inlined(found[2])

    def _inlined(self, expression: str) -> str:
        """An expression with the variables of the code and of the environment filled in, as far as they are known."""

        def known(found: re.Match[str]) -> str:
            value = self.container.state.variables.get(found[1] or found[2])
            return f'"{value.literal}"' if value and value.literal and '"' not in value.literal else found[0]

        for name in self.locals:
            text = self.locals[name].replace("\\", r"\\")
            expression = re.sub(rf"(?<![\w.:\"']){name}\b(?!['\"(])", text, expression)
        return _READS.sub(known, expression)[:LENGTH_CAP]

    def _value(self, expression: str) -> AbstractValue:
        text = self._inlined(expression).strip()
        if found := _TEXT.fullmatch(text):
            return AbstractValue.of(found[1] if found[1] is not None else found[2])
        read = _READS.search(text)
        current = self.container.state.variables.get(read[1] or read[2], UNKNOWN) if read else UNKNOWN
        value = ruby_value(text, self.container.read, current)
        return encoded(value) if len(_ENCODES.findall(text)) > 1 else value

    def _exec(self, arguments: str) -> None:
        words: list[str] = []
        for part in _split(arguments.rstrip().removesuffix(")"), ","):
            text = part.strip()
            if found := _TEXT.fullmatch(text):
                words.append(found[1] if found[1] is not None else found[2])
            elif found := _WORDS.fullmatch(text):
                words += found[1].split()
            elif text in ("*ARGV", "*$*"):
                words += self.call.arguments
            elif text.startswith("{"):
                for pair in _split(text[1:].rstrip().removesuffix("}"), ","):
                    if given := _PAIR.fullmatch(pair.strip()):
                        self.container.state.export(given[1] or given[2], self._value(given[3]), "ruby")
        if len(words) == 1 and " " in words[0]:
            words = ["sh", "-c", words[0]]
        self.container.run(tuple(words))


def _statements(code: str) -> Iterator[str]:
    """The first statements of code, without what conditions and blocks put before them."""
    lines = (line for line in code[:LENGTH_CAP].splitlines() if not line.lstrip().startswith("#"))
    for part in islice(_split("\n".join(lines), ";\n"), STATEMENTS_CAP):
        statement = re.sub(r"^(?:begin|else|ensure|then|(?:if|unless)\b.*?\bthen)\s+", "", part.strip())
        if statement:
            yield statement


def _split(text: str, separators: str) -> Iterator[str]:
    """The parts of a text between separators that are neither quoted nor inside of brackets."""
    start, quote, closing = 0, "", ""
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote and text[at - 1 : at] != "\\" else quote
        elif sign in "\"'":
            quote = sign
        elif sign in _CLOSES:
            closing += _CLOSES[sign]
        elif closing.endswith(sign):
            closing = closing[:-1]
        elif sign in separators and not closing:
            yield text[start:at]
            start = at + 1
    yield text[start:]
