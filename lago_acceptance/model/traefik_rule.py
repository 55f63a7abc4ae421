"""The rule of an HTTP router, parsed as Traefik parses it, and whether it takes a request.

It is a Go expression of matchers with string arguments, joined by &&, || and !. Versions 2 and 3 differ in their matchers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from lago_acceptance.core.value_shapes import unknown

# The matchers, and how many arguments version 3 takes (version 2 takes any number).
IN_BOTH = {
    "ClientIP": (1,),
    "Method": (1,),
    "Host": (1,),
    "HostRegexp": (1,),
    "Path": (1,),
    "PathPrefix": (1,),
    "Query": (1, 2),
}
SINCE_3 = {"PathRegexp": (1,), "Header": (2,), "HeaderRegexp": (2,), "QueryRegexp": (1, 2)}
UNTIL_2 = {"HostHeader": "Host", "Headers": "Header", "HeadersRegexp": "HeaderRegexp"}
# Each may also be written all in lower case, all in upper case or with a capital at its start only.
_SPELLINGS = {
    spelling: name
    for name in (*IN_BOTH, *SINCE_3, *UNTIL_2)
    for spelling in (name, name.lower(), name.upper(), name.capitalize())
}
# A variable of version 2 in a host or a path, as in {name:[a-z]+}. For version 3 its characters mean themselves.
VARIABLE = re.compile(r"\{[A-Za-z_]\w*(:.+)?\}")
_DEPTH_CAP = 200
_TOKEN = re.compile(r"\s+|(?P<word>\w+)|(?P<text>`[^`]*`|\"(?:[^\"\\]|\\.)*\")|(?P<sign>&&|\|\||[!(),])")


class Matcher(msgspec.Struct, frozen=True):
    """One matcher: its name as Traefik's documentation spells it, and its arguments."""

    name: str
    arguments: tuple[str, ...]


class Not(msgspec.Struct, frozen=True):
    """A negated part."""

    part: Expression


class Joined(msgspec.Struct, frozen=True):
    """Parts of which all must match, or any."""

    every: bool
    parts: tuple[Expression, ...]


Expression = Matcher | Not | Joined


class Unreadable(Exception):
    """Why Traefik can't parse a rule."""


@lru_cache(1024)
def parse(rule: str) -> Expression:
    """The expression of a rule. Unreadable, with the reason, where Traefik refuses it."""
    if rule.count("(") + rule.count("!") > _DEPTH_CAP:
        raise Unreadable("it is too long")
    parser = _Parser(rule)
    found = parser.either()
    if parser.tokens:
        raise Unreadable(f"nothing may follow like that: {parser.tokens[0][1]}")
    return found


def parsed(rule: str) -> Expression | None:
    """The expression of a rule, None where Traefik refuses it."""
    try:
        return parse(rule)
    except Unreadable:
        return None


class _Parser:
    def __init__(self, rule: str):
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(rule):
            found = _TOKEN.match(rule, at)
            if not found:
                raise Unreadable(_odd(rule[at]))
            at = found.end()
            if found.lastgroup:
                self.tokens.append((found.lastgroup, found[0]))

    def either(self) -> Expression:
        parts = [self.both()]
        while self.take("||"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Joined(False, tuple(parts))

    def both(self) -> Expression:
        parts = [self.one()]
        while self.take("&&"):
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else Joined(True, tuple(parts))

    def one(self) -> Expression:
        if self.take("!"):
            return Not(self.one())
        if self.take("("):
            inside = self.either()
            self.need(")")
            return inside
        return self.matcher()

    def matcher(self) -> Matcher:
        kind, word = self.tokens.pop(0) if self.tokens else ("", "")
        if kind != "word":
            raise Unreadable("a part of it is missing" if not kind else f"{word} has no matcher before it")
        name = _SPELLINGS.get(word)
        if name is None:
            raise Unreadable(f"Traefik has no matcher {word}")
        self.need("(")
        arguments = []
        while not self.take(")"):
            kind, text = self.tokens.pop(0) if self.tokens else ("", "")
            if kind != "text":
                raise Unreadable("a parenthesis is not closed" if not kind else f"{text} is not in backticks")
            arguments.append(text[1:-1])
            if not self.take(","):
                self.need(")")
                break
        if not arguments:
            raise Unreadable(f"{name}() is empty")
        # Traefik refuses an empty text as well. In a compose file it is a variable that nothing sets.
        relative = [each for each in arguments if each and not each.startswith("/") and not unknown(each)]
        if name in ("Path", "PathPrefix") and relative:
            raise Unreadable(f"the path {relative[0]} doesn't start with a slash")
        return Matcher(name, tuple(arguments))

    def take(self, sign: str) -> bool:
        if self.tokens and self.tokens[0] == ("sign", sign):
            del self.tokens[0]
            return True
        return False

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise Unreadable("a parenthesis is not closed" if sign == ")" else "a parenthesis is missing")


def _odd(sign: str) -> str:
    if sign == "'":
        return "a name is in single quotes"
    return "a backtick or quote is not closed" if sign in '`"' else f"{sign} is in it, outside of backticks"


def matchers(expression: Expression) -> Iterator[Matcher]:
    """Every matcher of an expression."""
    if isinstance(expression, Matcher):
        yield expression
    else:
        for part in (expression.part,) if isinstance(expression, Not) else expression.parts:
            yield from matchers(part)


def hosts(expression: Expression) -> Iterator[str]:
    """The host names that an expression takes, in lower case; without those that it excludes."""
    if isinstance(expression, Matcher):
        yield from (
            each.lower() for each in expression.arguments if expression.name in ("Host", "HostHeader")
        )
    elif isinstance(expression, Joined):
        for part in expression.parts:
            yield from hosts(part)


def takes(expression: Expression, host: str, path: str, method: str = "POST") -> bool | None:
    """Whether a rule takes a request; None where it depends on what isn't known here."""
    if isinstance(expression, Not):
        inside = takes(expression.part, host, path, method)
        return None if inside is None else not inside
    if isinstance(expression, Joined):
        found = [takes(part, host, path, method) for part in expression.parts]
        if (not expression.every) in found:
            return not expression.every
        return None if None in found else expression.every
    fits = [_fits(expression.name, argument, host, path, method) for argument in expression.arguments]
    return True if True in fits else None if None in fits else False


def _fits(name: str, argument: str, host: str, path: str, method: str) -> bool | None:
    if name in ("Host", "HostHeader"):
        if argument.lower() == host.lower():
            return True
        return None if not argument or "*" in argument or unknown(argument) or unknown(host) else False
    if name == "Method":
        return argument.upper() == method
    if not argument or unknown(argument) or VARIABLE.search(argument):
        return None
    if name == "Path":
        return path == argument
    if name == "PathPrefix":
        return path.startswith(argument)
    if name == "PathRegexp":
        return _found(argument, path)
    return None


def _found(expression: str, text: str) -> bool | None:
    try:
        return bool(re.search(expression, text))
    except re.error:
        return None
