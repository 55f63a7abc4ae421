"""Takes values out of a text that are given to names of secrets: in shell, env, YAML, JSON, Ruby, DSNs, options.

A value stays where it can't be a secret (a number, a path, a variable, a mask), and where it reads like a sentence:
"invalid token: expired".
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import lru_cache

from lago_acceptance.core.looks_secret import looks_secret
from lago_acceptance.core.value_shapes import GIVEN_LATER, sounds_secret

# A word that names of secrets contain (core/value_shapes.py has the whole rule), the rest of the name, and a sign. What
# follows an option, or in XML a tag, has no other sign.
_NAMED = re.compile(
    r"(?:key|secret|pass|pwd|token|salt|license|cred|dsn|hmac|auth|jwt|bearer|cookie|signature|pat|pw|connection)"
    r"[\w.-]*+(?:\]|%5d)*+"
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
_BARE = re.compile(
    r"(?:(?![\"'`](?:[\s,:;)\]}\"'`\\<]|$)|\\[\"'n]|[,;&)\]}>]+(?:[\s\"'\\]|$|[\w.%-]+=)|</)\S)++",
    re.MULTILINE,
)
_TO_THE_END = re.compile(r"[^\n\"']++")
_IN_TAG = re.compile(r"[^\n<]++(?=</)")
_NO_SECRET = re.compile(
    r"(?i:true|false|yes|no|on|off|null|nil|none|undefined|required|optional|missing|present|unset|set|empty|invalid"
    r"|and|are|as|can|does|for|from|has|in|is|must|needs|not|of|or|the|to|was|which|with"
    r"|[(\[*]*(?:redacted|filtered|masked|hidden)\b.*|x{3,})"
    r"|-?\d{1,4}(?:\.\d+)?|[\W_]*|[<\[{(?$].*|%[a-z({].*|(?:\.{0,2}|~)/[a-z0-9_.-]+(?:/[a-z0-9_.-]*)*"
    r"|[a-z][a-z0-9+.-]*://[^@\s]*",
    re.DOTALL,
)
# Options with these words mostly name a file, or say how to make a key.
_FILE_OF_KEY = re.compile(r"(?<!api)(?<!api_)(?<!access_)(?<!secret_)key", re.IGNORECASE)
_SENTENCE_WORD = re.compile(r"(?:[A-Za-z]?[a-z'-]*|[A-Z]{2,12})[.,:;!?]*")
# Names that have many other meanings. Only what looks like a secret is taken for one.
_AMBIGUOUS = re.compile(
    r"(?:.*[_.-])?(?:primary|foreign|cache|sort|unique|lock|group|routing|event|error|translation|index)[_-]?keys?"
    r"|keys?|keyed|pass(?:es|ed)?|pat|salt|auth|tokens|licen[cs]es?|signatures?|.*[_.-]license",
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


def _value(text: str, found: re.Match[str]) -> tuple[int, int] | None:
    """The place of the secret that belongs to a name, None where there is none."""
    start = _start_of_name(text, found.start())
    written = text[start : found.start(found.lastgroup or 0)]
    name = re.sub(r"\W", "_", written.strip("-.]"))
    before = text[start - 1] if start else "\n"
    option = written.startswith("-") or name in _OPTIONS
    if (
        (bool(found["tag"]) != (before == "<"))
        or (found["blank"] and not option)
        or _SOURCE_FILE.search(written)
    ):
        return None
    if not _is_secrets_name(name):
        return None
    sign = (found["sign"] or "").strip()
    if before == "`" and sign.startswith("'"):
        # Ruby's way to quote the name of a method.
        return None
    if found["tag"]:
        value, quoted = _IN_TAG.match(text, found.end()), True
    elif sign == ":" and name.lower().endswith("cookie"):
        value, quoted = _TO_THE_END.match(text, found.end()), True
    elif sign == "=" and before in "\"'`":
        value, quoted = re.compile(rf"[^\n{before}]*").match(text, found.end()), True
    elif value := _QUOTED.match(text, found.end()):
        quoted = True
    else:
        value, quoted = _BARE.match(text, found.end()), False
    if value is None:
        return None
    place = value.span("value" if "value" in value.re.groupindex else 0)
    given = text[slice(*place)]
    if _NO_SECRET.fullmatch(given) or GIVEN_LATER in given:
        return None
    certain = before in "?&" or (name.isupper() and "_" in name)
    ambiguous = _AMBIGUOUS.fullmatch(name) or (option and not sounds_secret(_FILE_OF_KEY.sub("", name)))
    if ambiguous and not certain and not looks_secret(given):
        return None
    in_sentence = sign == ":" and not quoted and _SENTENCE_WORD.fullmatch(given)
    return None if in_sentence and not _is_whole_line(text, start, place[1]) else place


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
