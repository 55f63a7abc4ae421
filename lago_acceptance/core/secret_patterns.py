"""What is secret in any text by its own form: private keys, tokens, passwords in URLs, in headers and in commands."""

from __future__ import annotations

import base64
import binascii
import re
import string

from lago_acceptance.core.looks_secret import is_random
from lago_acceptance.core.service_keys import JWT, SERVICE_KEY

KEY_HEADER = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
KEY_IN_BASE64 = re.compile(r"(?:LS0tLS1CRUdJTi|TFMwdExTMUNSVWRKVG)[A-Za-z0-9+/=\n]*")
_DER = re.compile(r"MII(?<![A-Za-z0-9+/]MII)[A-Za-z0-9+/=\n]{200,}")
_KEY_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")
# How far before its end the lines of a key are looked for. The longest keys have 16384 bits.
_LONGEST_KEY = 16_000
_KEY_PART = re.compile(r"[A-Za-z0-9+/=]*")
_BREAK = re.compile(r"((?:\s|\\[nr])+)")
# Lines as PEM and OpenSSH break them, perhaps behind a service's name as Compose prints it; or one long line.
_KEY_LINES = re.compile(
    r"(?:[A-Za-z0-9+/]{60,76}(?:\r?\n|\\r|\\n)+[ \t]*(?:[\w.-]+[ \t]*\|[ \t]*)?){3,}"
    r"(?:[A-Za-z0-9+/]*={0,2}(?=[\r\n\"'\\]|$))?"
)
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{60,}={0,2}")
_BASE64 = (string.ascii_letters + string.digits + "+/").encode()
_RUNS = bytes(each in _BASE64 for each in range(256))
_A_RUN = b"\x01" * 60

_PORT = r"\d{1,5}(?:[\s/?#\"'<>),;\]}\\]|$)"
_HOST_FOLLOWS = r"(?=(?:[\w.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5}(?![\w@])|[/?\"')\]]|$))"
# A password may hold anything, even what ends a URL: it reaches to the @ behind which there is a host.
_IN_URL = re.compile(
    rf"://(?P<user>[^:/\s\"'<\[]{{0,200}}):(?!{_PORT})"
    rf"(?:(?:(?!://|[\"']\s{{0,4}}[,:}}\]]|<secret)[^\n]){{1,300}}?@{_HOST_FOLLOWS}(?:[^\s\"'<]{{0,300}}@)?|[^\s\"'<]{{1,300}}@)",
    re.MULTILINE,
)
_TOKEN_IN_URL = re.compile(r"://(?P<user>)[\w-]{20,300}@")
_SEPARATOR = r"(?:\s+|\\?[\"'],\s*\\?[\"'])"
_WORD = r"(?![-$<])[^\s\"',|;&)\]\\]+"
# Each with words of which a text must contain one: searching for a word takes less time than for an expression.
_IN_COMMANDS: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (
        ("redis-cli",),
        re.compile(rf"(redis-cli\b[^\n|;]{{0,200}}?{_SEPARATOR}-a{_SEPARATOR}?\\?[\"']?){_WORD}"),
    ),
    (("sshpass",), re.compile(rf"(sshpass{_SEPARATOR}-p{_SEPARATOR}?[\"']?){_WORD}")),
    (
        ("mysql", "mariadb"),
        re.compile(rf"((?:mysql|mariadb)[\w-]*\b[^\n|;]{{0,200}}?[\s\"']-p[\"']?){_WORD}"),
    ),
    (
        ("curl",),
        re.compile(
            rf"(curl\b[^\n|;]{{0,300}}?[\s\"'](?:-u|--user|-U|--proxy-user)(?:{_SEPARATOR}|=)?[\"']?[^\s:\"']{{1,64}}:){_WORD}"
        ),
    ),
    (
        ("uthorization", "UTHORIZATION"),
        re.compile(
            r"((?:uthorization|UTHORIZATION)\\*['\"]?\s{0,4}(?:=>|[:=])\s{0,4}\\*['\"]?"
            r"(?:(?i:basic|bearer|digest|token|apikey)\s+(?!token=)|(?=[\w.~+/-]{16})))(?!<)[^\s\"'\\,;]{6,}"
        ),
    ),
    (("earer", "EARER"), re.compile(r"((?:earer|EARER)\s+)[A-Za-z0-9._~+/-]{16,}=*")),
)
_BASIC = re.compile(r"([Bb]asic\s+)([A-Za-z0-9+/]{6,}={0,2})")
_SERVICE_MARKS = [
    "_live_",
    "_test_",
    "whsec_",
    "gho_",
    "ghp_",
    "ghs_",
    "ghu_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "AKIA",
    "ASIA",
    "AIza",
    "SG.",
    "hvs.",
    "npg_",
    "npm_",
    "pypi-",
    "hf_",
    "dop_v1_",
    "shpat_",
    "shpca_",
    "shppa_",
    "shpss_",
    "sk-",
]


def without_key_material(text: str) -> str:
    """The text without private keys, whole or in part."""
    for pattern in (KEY_HEADER, KEY_IN_BASE64, _DER):
        text = pattern.sub("<key material>", text)
    return _without_runs(_without_ends(text))


def without_credentials(text: str) -> str:
    """The text without passwords in URLs, headers and commands, and without tokens that are known by their form."""
    if "://" in text:
        text = _TOKEN_IN_URL.sub("://<secret>@", _IN_URL.sub(r"://\g<user>:<secret>@", text))
    text = JWT.sub("<token>", text)
    if any(mark in text for mark in _SERVICE_MARKS):
        text = SERVICE_KEY.sub("<secret>", text)
    for words, pattern in _IN_COMMANDS:
        if any(word in text for word in words):
            text = pattern.sub(r"\1<secret>", text)
    return _BASIC.sub(_without_pair, text) if "asic" in text else text


def _without_ends(text: str) -> str:
    """The text without the last lines of keys that begin before it."""
    parts, at = [], 0
    for end in _KEY_END.finditer(text):
        before = text[max(at, end.start() - _LONGEST_KEY) : end.start()]
        start = end.start() - _length_of_key(before)
        parts += [text[at:start], "<key material>"]
        at = end.end()
    return "".join([*parts, text[at:]])


def _length_of_key(before: str) -> int:
    """How much at the end of a text are lines of a key. Only the last of them is shorter than a word may be."""
    pieces = _BREAK.split(before)
    words, breaks, length = pieces[::2], [*pieces[1::2], ""], 0
    for back, (word, behind) in enumerate(zip(reversed(words), reversed(breaks), strict=True)):
        if not _KEY_PART.fullmatch(word) or (back > 1 and len(word) < 16):
            break
        length += len(word) + len(behind)
    return length


def _without_runs(text: str) -> str:
    """The text without what may be inner lines of keys."""
    runs = text.encode("ascii", "replace").translate(_RUNS)
    parts, at, run = [], 0, runs.find(_A_RUN)
    while run >= 0:
        end = runs.find(0, run)
        found = _KEY_LINES.match(text, run) or _KEY_LINE.match(text, run)
        end = found.end() if found else end
        if found and is_random(found[0]):
            # Not called key material: a signed id looks alike, and a key in a log is a finding.
            parts += [text[at:run], "<secret>"]
            at = end
        run = runs.find(_A_RUN, end) if end >= 0 else -1
    return "".join([*parts, text[at:]])


def _without_pair(found: re.Match[str]) -> str:
    """``Basic`` is followed by a user and a password in base64, or it is an ordinary word."""
    try:
        pair = b":" in base64.b64decode(found[2], validate=True)
    except binascii.Error:
        pair = False
    return f"{found[1]}<secret>" if pair else found[0]
