r"""What a configured value looks like, and which names of variables hold secrets.

Python and the script that masks a host's variables (facts/scripts/render.py converts it to awk) use the same table, so
that the gate and a live run judge the same value alike. Its expressions must work in Python's re and in every awk: no
intervals, no classes such as \d, no lookaround, nothing non-greedy. Values are matched with JSON's escapes, as a host
sends them: a line feed is \n, a backslash \\ and a double quote \".
"""

from __future__ import annotations

import json
import re
import string
from functools import cache

import msgspec

from lago_acceptance.core.masks import masked_part

# Placeholder for values that are only set at deploy time (``${NAME:?}``). Valid in URLs and names.
GIVEN_LATER = "given-at-deploy-"


class ValueShape(msgspec.Struct, frozen=True):
    """A shape, and its expressions, of which one must match; ``lowered``: the value is lower-cased first."""

    name: str
    expressions: tuple[str, ...]
    lowered: bool = False


# First passwords: up to four of these words and up to four digits or signs. Behind 123456 anything may follow.
_WORD = (
    "(lago|billing|postgres|postgresql|pg|db|database|user|admin|root|test|default|dev|local|prod|production"
    "|password|passwd|passw0rd|pass|pwd|secret|my|super|strong|secure|changeit|qwerty|letmein)[-_.]?"
)
_FIRST_PASSWORD = f"^({_WORD}({_WORD}({_WORD})?)?)?({_WORD}|123456[a-z0-9_.-]*)" + "[0-9!@#]?" * 4 + "$"
_HEADER = "-----BEGIN [A-Z ]*PRIVATE KEY-----"

# The first match counts; a value without a match is "plain".
SHAPES: tuple[ValueShape, ...] = (
    ValueShape("empty", (r"""^([ '"]|\\["n])*$""",)),
    ValueShape("pem", (rf"{_HEADER}(\\r)?\\n",)),
    ValueShape("pem-mangled", (_HEADER,)),
    ValueShape("pem-public", ("-----BEGIN [A-Z ]*PUBLIC KEY-----",)),
    ValueShape("pem-other", ("-----BEGIN ",)),
    # Mangled: backslash and n stand where a line feed was. A backslash before a real line feed is another matter.
    ValueShape("base64-mangled", (r"""^([ '"]|\\["n])*LS0tLS1CRUdJTi(.*[^\\])?(\\\\)+n""",)),
    ValueShape("base64-public", (r"""^([ '"]|\\["n])*LS0tLS1CRUdJTiBQVUJMSUMg""",)),
    ValueShape("base64", (r"""^([ '"]|\\["n])*LS0tLS1CRUdJTi""",)),
    ValueShape("base64-twice", (r"""^([ '"]|\\")*TFMwdExTMUNSVWRKVG""",)),
    ValueShape("der", ("^MII",)),
    ValueShape("unexpanded", (r"\$[{(]",)),
    ValueShape(
        "placeholder",
        (
            "change[-_ .]?(me|this)",
            "your([-_ ]|password|secret)",
            "replace",
            "placeholder",
            "example",
            "todo",
            "xxxx",
            "<[^>]*>",
            "(^|[^a-z])(insert|generate|enter|put|fill|random|some)[-_ ]",
            "openssl",
            r"[-_ ]here(\\n)?$",
            "dummy",
            "to[-_ ]?be[-_ ]",
            r"\*\*\*\*",
        ),
        lowered=True,
    ),
    ValueShape("default", (_FIRST_PASSWORD,), lowered=True),
)
PLAIN = "plain"

# Names are lower-cased first. A name with a secret word is a secret's, unless it ends like a path, an address or a
# duration, or has the word in harmless phrases only. Words that are always secret count in such phrases, too.
SECRET_WORDS = (
    "key|secret|pass|pwd|token|salt|license|credential|creds|dsn|hmac|basic_?auth|masterauth|connection_?string"
    "|(jwt|bearer|cookie|signature)$|(^|[._-])(auth|pat|pw|pword)$"
)
NO_SECRET_ENDINGS = "_(path|file|dir|url|host|name|ttl|algorithm|expiry|expires_in|minutes)$"
ALWAYS_SECRET_WORDS = "secret|passw|passphrase|credential|hmac"
HARMLESS_PHRASES = (
    "keycloak|valkey|keydb|keyspace|key_partition|partition_key|max_tokens|tokens?_per"
    "|bypass|pass_?through|pass_?host|pass_?tls|passenger|passive|compass"
    "|(public|publishable)[a-z0-9_]*(key|token|dsn)|(jwt|jwk|kms|signing)_key_id"
    "|^(old)?pwd$|(enable|disable|require|use|skip|smtp)_([a-z]+_)?auth$"
)

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def given_later(name: str) -> str:
    """The placeholder for a variable that is only set at deploy time."""
    return f"{GIVEN_LATER}{name.lower().replace('_', '-')}"


def unknown(value: str | None) -> bool:
    """Whether a value is or contains something that is only set at deploy time."""
    return value is not None and GIVEN_LATER in value


def shape(value: str | None) -> str:
    """A value's shape: a name of ``SHAPES``, plain, or unknown if it is only set at deploy time.

    Masked values include their shape.
    """
    value = value or ""
    if unknown(value):
        return "unknown"
    if masked := masked_part(value):
        return masked.shape
    written = json.dumps(value, ensure_ascii=False)[1:-1]
    lowered = written.translate(_LOWER)
    for name, expression, is_lowered in _compiled():
        if expression.search(lowered if is_lowered else written):
            return name
    return PLAIN


def sounds_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    name = name.translate(_LOWER)
    if not re.search(SECRET_WORDS, name) or re.search(NO_SECRET_ENDINGS, name):
        return False
    if re.search(ALWAYS_SECRET_WORDS, name):
        return True
    return bool(re.search(SECRET_WORDS, re.sub(HARMLESS_PHRASES, "", name)))


@cache
def _compiled() -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    return tuple((each.name, re.compile("|".join(each.expressions)), each.lowered) for each in SHAPES)
