"""Takes values out of a text that are given to names of secrets: in shell, env, YAML, JSON, Ruby, DSNs, options.

A value stays where it can't be a secret (a number, a path, a variable, a mask), and where it reads like a sentence:
"invalid token: expired".
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from lago_acceptance.core.looks_secret import looks_secret
from lago_acceptance.core.value_shapes import GIVEN_LATER, sounds_secret

# A word that names of secrets contain (core/value_shapes.py has the whole rule), the rest of the name, and a sign. What
# follows an option, or in XML a tag, has no other sign.
_NAMED = re.compile(
    r"(?:key|secret|pass|pwd|token|salt|license|cred|dsn|hmac|auth|jwt|bearer|cookie|signature|pat|pw|connection)"
    r"[\w.-]{0,80}+(?:\]|%5d){0,3}+"
    r"(?:(?P<sign>\\*[\"']?[ \t]{0,4}(?:=>|:=|=|:(?!:))[ \t]{0,4})|(?P<tag>>)|(?P<blank>\\*[\"'],\s{0,9}|[ \t]{1,4}))"
)
_NAME = frozenset(f"{string.ascii_letters}{string.digits}_.-")
_LONGEST_NAME = 80
_LONGEST_OPTION = 40
_SOURCE_FILE = re.compile(r"\.(?:rb|erb|py|js|ts|tsx|go|ya?ml|toml|conf|sh|pem|crt)$")
# Their values follow a blank in redis.conf, too.
_OPTIONS = ("requirepass", "masterauth")
_CONF = re.compile("pass |auth ")
_QUOTED = re.compile(r"(?P<quote>\\*[\"'`])(?P<value>(?:(?!(?P=quote))(?:\\.|[^\n\\]))*+)")
# An unquoted value ends at a blank, or at signs that belong to the text around it.
# What is longer is no part of a grammar.
_LONGEST_LOOK = 200
_REST = re.compile(r"\S*")
_BARE = re.compile(
    r"(?:(?![\"'`](?:[\s,:;)\]}\"'`\\<]|$)|\\[\"'n]|[,;&)\]}>]{1,20}(?:[\s\"'\\]|$|[\w.%-]{1,80}=)|</)\S)"
    rf"{{1,{_LONGEST_LOOK}}}+",
    re.MULTILINE,
)
_TO_THE_END = re.compile(r"[^\n\"']++")
_IN_TAG = re.compile(r"[^\n<]++(?=</)")
_TO_QUOTE = {quote: re.compile(rf"[^\n{quote}]*") for quote in "\"'`"}
_NO_SECRET = re.compile(
    r"(?i:true|false|yes|no|on|off|null|nil|none|undefined|required|optional|missing|present|unset|set|empty|invalid"
    r"|and|are|as|can|does|for|from|has|in|is|must|needs|not|of|or|the|to|was|which|with"
    r"|[(\[*]*(?:redacted|filtered|masked|hidden)\b.*|x{3,})"
    r"|-?\d{1,4}(?:\.\d+)?|[\W_]*|-?[<\[{(?$].*|%[a-z({].*|(?:\.{0,2}|~)/[a-z0-9_.-]+(?:/[a-z0-9_.-]*)*"
    r"|[a-z][a-z0-9+.-]*://[^@\s]*",
    re.DOTALL,
)
# Options with these words mostly name a file, or say how to make a key.
_FILE_OF_KEY = re.compile(r"(?<!api)(?<!api_)(?<!access_)(?<!secret_)key", re.IGNORECASE)
_SENTENCE_WORD = re.compile(r"(?:[A-Za-z]?[a-z'-]*|[A-Z]{2,12})[.,:;!?]*")
# Names that have many other meanings. Only what looks like a secret is taken for one.
_AMBIGUOUS = re.compile(
    r"(?:.*[_.-])?(?:primary|foreign|cache|sort|unique|lock|group|routing|event|error|translation|index)[_-]?keys?"
    r"|.*(?:error|exception)|keys?|keyed|pass(?:es|ed)?|pat|salt|auth|tokens|licen[cs]es?|signatures?|.*[_.-]license",
    re.IGNORECASE,
)


def without_assigned(text: str) -> str:
    """The text with ``<secret>`` for each value that is given to the name of a secret."""
    parts, at = [], 0
    for start, end in _values(text):
        parts += [text[at:start], "<secret>"]
        at = end
    return "".join([*parts, text[at:]])


def _values(text: str) -> Iterator[tuple[int, int]]:
    lowered = text.lower()
    if len(lowered) != len(text):
        # One of the few letters that are two in small.
        lowered = "".join(each.lower()[0] for each in text)
    at = 0
    for found in _NAMED.finditer(lowered):
        if found.start() < at or (found["blank"] and _is_prose(text, found)):
            continue
        span = _value(text, found)
        if span:
            yield span
            at = span[1]


class _Name(msgspec.Struct, frozen=True):
    """A name in a text, with the character before it and the sign behind it, which is "" after an option."""

    text: str
    start: int
    before: str
    sign: str
    option: bool


def _name(text: str, found: re.Match[str]) -> _Name | None:
    """The name of a secret, None where a word belongs to something else."""
    start = _start_of_name(text, found.start())
    written = text[start : found.start(found.lastgroup or 0)]
    name, sign = re.sub(r"\W", "_", written.strip("-.]")), (found["sign"] or "").strip()
    before = text[start - 1] if start else "\n"
    option = written.startswith("-") or name in _OPTIONS
    misread = (
        bool(found["tag"]) != (before == "<")
        or (found["blank"] and not option)
        or _SOURCE_FILE.search(written)
        # Ruby's way to quote the name of a method.
        or (before == "`" and sign.startswith("'"))
    )
    return None if misread or not _is_secrets_name(name) else _Name(name, start, before, sign, option)


def _value(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """The place of the secret that is given to a name, None where there is none."""
    name = _name(text, found)
    if name is None:
        return None
    value = _given(text, found, name)
    if value is None:
        return None
    start, end = value.span("value" if "value" in value.re.groupindex else 0)
    given = text[start:end]
    if _NO_SECRET.fullmatch(given) or GIVEN_LATER in given or _is_ambiguous(name, given):
        return None
    bare = value.re is _BARE
    in_sentence = bare and name.sign == ":" and _SENTENCE_WORD.fullmatch(given)
    if in_sentence and not _is_whole_line(text, name.start, end):
        return None
    rest = _REST.match(text, end) if bare and end - start == _LONGEST_LOOK else None
    return start, rest.end() if rest else end


def _given(text: str, found: re.Match[str], name: _Name) -> re.Match[str] | None:
    at = found.end()
    if found["tag"]:
        return _IN_TAG.match(text, at)
    if name.sign == ":" and name.text.lower().endswith("cookie"):
        return _TO_THE_END.match(text, at)
    if name.sign == "=" and name.before in _TO_QUOTE:
        return _TO_QUOTE[name.before].match(text, at)
    return _QUOTED.match(text, at) or _BARE.match(text, at)


def _is_ambiguous(name: _Name, given: str) -> bool:
    """Whether a name has many other meanings, and its value does not look like a secret."""
    if name.before in "?&" or (name.text.isupper() and "_" in name.text):
        return False
    file_of_key = name.option and not sounds_secret(_FILE_OF_KEY.sub("", name.text))
    return bool(_AMBIGUOUS.fullmatch(name.text) or file_of_key) and not looks_secret(given)


@lru_cache(4096)
def _is_secrets_name(name: str) -> bool:
    # Alone it is a variable of every shell, and in a DSN a password.
    return sounds_secret(name) or name.lower() == "pwd"


def _is_prose(text: str, found: re.Match[str]) -> bool:
    """Whether a word with a blank behind it is neither an option nor one of redis.conf. Logs are full of them."""
    return "-" not in text[max(found.start() - _LONGEST_OPTION, 0) : found.start()] and not _CONF.match(
        found[0]
    )


def _start_of_name(text: str, at: int) -> int:
    earliest = max(at - _LONGEST_NAME, 0)
    while at > earliest and text[at - 1] in _NAME:
        at -= 1
    return at


def _is_whole_line(text: str, start: int, end: int) -> bool:
    """Whether a name and its value are all that a line contains, as in YAML."""
    line = text.rfind("\n", 0, start) + 1
    return not text[line:start].strip(" \t-\"'{+<>*") and text[end : end + 1] in ("", "\n", "\r", ",", "}")
