"""What the usual programs make of values: echo, cat, base64, openssl, tr, sed, and lines of Ruby or Python."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import replace

from lago_acceptance.shell.values import UNKNOWN, AbstractValue, Read


def _arguments(texts: list[AbstractValue]) -> tuple[list[str], list[AbstractValue]]:
    optional = [
        (text.literal or "").startswith("-")
        and text.literal != "-"
        and "-----BEGIN" not in (text.literal or "")
        for text in texts[1:]
    ]
    options = [text.literal or "" for text, is_one in zip(texts[1:], optional, strict=True) if is_one]
    return options, [text for text, is_one in zip(texts[1:], optional, strict=True) if not is_one]


def output(program: str, texts: list[AbstractValue]) -> AbstractValue:
    """What echo and printf write; of other programs nothing is known."""
    if program in ("echo", "printf"):
        options, rest = _arguments(texts)
        if program == "printf" and len(rest) > 1:
            escapes = "%b" in (rest[0].literal or "")
            rest = rest[1:]
        else:
            escapes = program == "printf" or any("e" in option for option in options)
        if len(rest) == 1:
            value = rest[0]
            if escapes and value.shape.endswith("-mangled"):
                literal = value.literal.replace("\\n", "\n") if value.literal else None
                return (
                    AbstractValue.of(literal)
                    if literal is not None
                    else replace(value, shape=value.shape.removesuffix("-mangled"))
                )
            return value
        if rest and all(each.literal is not None for each in rest):
            return AbstractValue.of(" ".join(each.literal or "" for each in rest))
        return UNKNOWN
    return UNKNOWN


def encoded(text: AbstractValue) -> AbstractValue:
    """The value after base64."""
    if text.literal is not None:
        return replace(AbstractValue.of(base64.b64encode(text.literal.encode()).decode()), origin=text.origin)
    return AbstractValue(
        {
            "pem": "base64",
            "base64": "base64-twice",
            "der": "base64-twice",
            "pem-mangled": "base64-mangled",
            "pem-public": "base64-public",
        }.get(text.shape, "unknown"),
        None,
        text.origin,
        True,
    )


def decoded(text: AbstractValue) -> AbstractValue:
    """The value after base64 -d: of something that isn't known, the PEM that one expects there."""
    if text.literal:
        try:
            plain = base64.b64decode(re.sub(r"[^A-Za-z0-9+/]", "", text.literal) + "==", validate=False)
            return replace(AbstractValue.of(plain.decode("utf-8", "replace")), origin="decoded")
        except binascii.Error:
            return AbstractValue("plain", None, "decoded")
    shapes = {
        "base64": "pem",
        "empty": "pem",
        "base64-twice": "base64",
        "base64-mangled": "pem-mangled",
        "unknown": "pem",
    }
    return AbstractValue(shapes.get(text.shape, "plain"), None, "decoded")


def _content(rest: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    paths = [text for text in rest if text.literal != "-"]
    if paths:
        return read(paths[0].literal) if paths[0].literal else UNKNOWN
    return given or UNKNOWN


def _cat(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    return _content(_arguments(texts)[1], given, read)


def _base64(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    options, rest = _arguments(texts)
    rest = [text for text in rest if not (text.literal or "").isdigit()]
    content = _content(rest, given, read)
    if any(option in ("--decode", "-D", "-di", "-id") or option.startswith("-d") for option in options):
        return decoded(content)
    result = encoded(content)
    flat = any(option.replace("=", "").replace("--wrap", "-w") == "-w0" for option in options) or (
        "-w" in options and any(text.literal == "0" for text in texts)
    )
    return replace(result, one_word=flat)


def _openssl(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    words = [text.literal or "" for text in texts]
    content = given or UNKNOWN
    if "-in" in words and words.index("-in") + 1 < len(words):
        content = read(words[words.index("-in") + 1])
    if "base64" in words or "-base64" in words or "-a" in words:
        return decoded(content) if "-d" in words else replace(encoded(content), one_word="-A" in words)
    if words[1:2] and words[1] in ("rsa", "pkey", "pkcs8", "genrsa", "genpkey"):
        made = "generated" if words[1].startswith("gen") else content.origin
        return AbstractValue("pem-public" if "-pubout" in words else "pem", None, made)
    return UNKNOWN


def _tr(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    given = given or UNKNOWN
    words = [text.literal or "" for text in texts[1:]]
    if any("\\n" in word or "\n" in word or "space" in word for word in words[:2]):
        if given.shape in ("pem", "pem-other"):
            return AbstractValue("pem-mangled", None, given.origin)
        return replace(given, one_word="-d" in words or given.one_word)
    return replace(given, literal=None)


def _mangling(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    _, rest = _arguments(texts)
    code = " ".join(text.literal or "" for text in texts[1:])
    paths = [text for text in rest[1:] if "/" in (text.literal or "") and "=" not in (text.literal or "")]
    content = given or (_content(paths or rest[-1:], None, read) if len(rest) > 1 else UNKNOWN)
    if content.shape == "pem" and "\\n" in code:
        return AbstractValue("pem-mangled", None, content.origin)
    if content.shape.endswith("-mangled") and "\\n" in code:
        return replace(content, literal=None, shape=content.shape.removesuffix("-mangled"))
    return replace(content, literal=None)


def ruby_value(code: str, read: Read, current: AbstractValue = UNKNOWN) -> AbstractValue:
    """What a line of Ruby, Python or Node makes of a key: it reads a file, or the variable, and encodes it or not."""
    paths = re.findall(r"[\"'`(\[]\s*(/?[\w.-]*/[^\"'`()\[\]\s]+)", code)
    content = next((found for found in map(read, paths) if found.shape != "unknown"), None)
    content = content or (AbstractValue("pem") if paths else current)
    if re.search(r"unpack1?\b|decode64|b64decode", code):
        return decoded(content)
    if re.search(r"\bpack\b|encode64|b64encode|toString\(.base64|\[.?m0?.?\]", code):
        return encoded(content)
    if re.search(r"File\.|IO\.|open\(|readFile|Pathname", code):
        return content
    return UNKNOWN


def _interpreter(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    words = [text.literal or "" for text in texts]
    code = next((words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-e", "-c", "-rbase64")), "")
    if "-rbase64" in words and "-e" in words:
        code = words[words.index("-e") + 1] if words.index("-e") + 1 < len(words) else ""
    files = [word for word in words[words.index(code) + 1 :] if word.startswith("/")] if code else []
    return ruby_value(code, read, given or (read(files[0]) if files else UNKNOWN))


def _same(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    return given or UNKNOWN


def _part(texts: list[AbstractValue], given: AbstractValue | None, read: Read) -> AbstractValue:
    content = given or _content(
        [text for text in _arguments(texts)[1] if "/" in (text.literal or "")], None, read
    )
    return content if content.shape == "empty" else UNKNOWN


FILTERS: dict[str, Callable[[list[AbstractValue], AbstractValue | None, Read], AbstractValue]] = {
    "cat": _cat,
    "base64": _base64,
    "openssl": _openssl,
    "tr": _tr,
    "sed": _mangling,
    "awk": _mangling,
    "perl": _mangling,
    "ruby": _interpreter,
    "python": _interpreter,
    "python3": _interpreter,
    "node": _interpreter,
    "xargs": _same,
    "paste": _mangling,
    "head": _part,
    "tail": _part,
    "grep": _part,
}
