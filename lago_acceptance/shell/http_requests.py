"""The HTTP requests that curl and wget make, read from their words."""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.urls import service_url

# Options that take a value, by program: short letters, then long names.
_SHORT = {"curl": "AbcCdDeEFhHKmoPQrtTuUwxXyYz", "wget": "oaOTtUQPPe"}
_LONG = {
    "curl": "cacert cert connect-timeout connect-to cookie data data-binary data-raw header interface json key max-time"
    " oauth2-bearer output proxy request resolve retry retry-delay retry-max-time unix-socket url user user-agent"
    " write-out",
    "wget": "output-document timeout tries header user password user-agent post-data method body-data",
}
# With these a request goes somewhere else, or nobody knows where.
_ELSEWHERE = {"x", "proxy", "K", "config", "unix-socket", "resolve", "connect-to", "interface"}
_SENDS = {
    "d",
    "data",
    "data-binary",
    "data-raw",
    "json",
    "F",
    "T",
    "X",
    "request",
    "post-data",
    "method",
    "body-data",
}


class Request(msgspec.Struct, frozen=True):
    """One request. ``port`` follows from the scheme where none is written.

    ``fails_on_status``: the program fails at a status from 400 on. ``keyed``: with a header of authorization.
    ``sends``: another method than GET, or a body.
    """

    scheme: str
    host: str
    port: int
    path: str
    fails_on_status: bool
    keyed: bool
    sends: bool


def requests_of(program: str, words: tuple[str, ...]) -> list[Request] | None:
    """The requests of a command, None where they can't be read from its words."""
    if program not in _SHORT:
        return None
    options, urls = _parsed(program, words[1:])
    if options.keys() & _ELSEWHERE or not urls or any("$" in url or "`" in url for url in urls):
        return None
    fails = program == "wget" or bool(options.keys() & {"f", "fail", "fail-with-body"})
    headers = " ".join(value for name in ("H", "header") for value in options.get(name, ()))
    keyed = "authorization" in headers.lower() or bool(options.keys() & {"u", "user", "oauth2-bearer"})
    found = []
    for url in urls:
        parsed = service_url(url if "://" in url else f"http://{url}")
        if parsed is None or not parsed.host or parsed.scheme not in ("http", "https"):
            return None
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        found.append(
            Request(
                parsed.scheme,
                parsed.host,
                port,
                parsed.path or "/",
                fails,
                keyed,
                bool(options.keys() & _SENDS),
            )
        )
    return found


def _parsed(program: str, words: tuple[str, ...]) -> tuple[dict[str, list[str]], list[str]]:
    """Options with their values, and the URLs."""
    options: dict[str, list[str]] = {}
    urls: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if not equals and name in _LONG[program].split():
                value = waiting.pop(0) if waiting else ""
            options.setdefault(name, []).append(value)
            if name == "url":
                urls.append(value)
        elif re.match(r"-\w", word):
            letters = word[1:]
            for at, letter in enumerate(letters):
                takes = letter in _SHORT[program] and not (program == "wget" and word[1:] in ("nv", "nc"))
                value = (letters[at + 1 :] or (waiting.pop(0) if waiting else "")) if takes else ""
                options.setdefault(letter, []).append(value)
                if takes:
                    break
        else:
            urls.append(word)
    return options, urls
