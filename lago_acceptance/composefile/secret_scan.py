"""Finds secrets anywhere in compose files and environment files, and registers them with the redactor.

A secret may be in an unexpected place (``restart: <a key>``), and a rule, or Compose itself, may quote it from there. So
a value counts as secret by its name, or by what it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lago_acceptance.composefile.yaml_lines import YamlPath
from lago_acceptance.core.looks_secret import SPEAKING, is_random, looks_secret
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.value_shapes import shape, sounds_secret, unknown
from lago_acceptance.model.interpolation import expand, uses

# Keys whose values name a service, a network, a volume or a container.
_NAMING = (
    "networks",
    "depends_on",
    "links",
    "container_name",
    "hostname",
    "name",
    "network_mode",
    "profiles",
)
_PROJECT = "COMPOSE_PROJECT_NAME"
_COMMANDS = ("command", "entrypoint", "test")
_NAME = r"[\w.-]+"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_WORD = re.compile(r"[^\s,;:=/|\"'`(){}\[\]<>@&?*\\]{6,}")
_MAY_LOOK_SECRET = re.compile(rf"\d|{SPEAKING.pattern}", re.IGNORECASE)
# For whole values only: elsewhere these separate the parts of URLs, lists and shell commands.
_MORE_SYMBOLS = re.compile(r"[!#$%^~@&?*+]")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_NO_PASSWORD = re.compile(r"\s|://|\$[{(]|[`(,=]|sha256:")
# In an environment file, a line break may be written as an escape.
_LINE_BREAK = re.compile(r"[\r\n]+|\\[rn]")
_PEM_EDGE = re.compile(r"-+(BEGIN|END) [A-Z ]+-+")
_OPTION = re.compile(
    r"(?i)(?<!\S)(?:-a|--?[\w-]{0,40}(?:pass|secret|token)[\w-]{0,40})[\s=,\"']+(?![-$])([^\s\"',\]]{6,})"
)


def learn(
    written: dict[str, Any], resolved: dict[str, Any], variables: Iterable[tuple[str, str]], directory: Path
) -> None:
    """Register the secrets of a file and of its environment with the redactor, so that no output shows one.

    Names of services, networks and the like are no secrets, nor are the names of the project and of the file's folder,
    which Docker makes part of other names.
    """
    texts = scalars(written)
    names = {*_keys(written), *(each for each in _names(texts) if not looks_secret(each))}
    found = dict.fromkeys(variables)
    projects = (
        written.get("name"),
        resolved.get("name"),
        *(text for name, text in found if name == _PROJECT),
    )
    own = {str(each).lower() for each in (*directory.parts, *projects) if each and looks_secret(str(each))}
    for path, text in (*texts, *scalars(resolved)):
        found[str(path[-1]), text] = None
    for name, text in found:
        if text not in names:
            _learn(name, text, names, own)


def scalars(document: dict[str, Any]) -> list[tuple[YamlPath, str]]:
    """The texts of a document, each with its path. For ``NAME=value`` in a list, the path ends with the name."""
    found: list[tuple[YamlPath, str]] = []

    def look(value: Any, path: YamlPath) -> None:
        if isinstance(value, dict):
            for key, child in value.items():
                look(child, (*path, key))
        elif isinstance(value, list):
            for number, child in enumerate(value):
                look(child, (*path, number))
        elif value is not None and not isinstance(value, bool | int | float):
            found.append(_named(str(value), path))

    look(document, ())
    return found


def _named(text: str, path: YamlPath) -> tuple[YamlPath, str]:
    name, equals, rest = text.partition("=")
    entry = equals and isinstance(path[-1], int) and path[-2] not in _COMMANDS
    return ((*path[:-1], name), rest) if entry and re.fullmatch(_NAME, name) else (path, text)


def _is_password(text: str) -> bool:
    """Whether a whole value mixes characters as password policies demand."""
    if not 8 <= len(text) <= 128 or _NO_PASSWORD.search(text) or text.startswith(("/", "./", "../")):
        return False
    return all(re.search(each, text) for each in (r"[a-z]", r"[A-Z]", r"\d", _MORE_SYMBOLS))


def _is_key(text: str) -> bool:
    """Whether a whole value is random bytes in base64, or a line of a key. Its parts between slashes may look harmless."""
    return bool(_BASE64.fullmatch(text)) and is_random(text)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield str(key)
            yield from _keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from _keys(child)


def _names(texts: Iterable[tuple[YamlPath, str]]) -> Iterator[str]:
    """What a file calls its parts, whether it defines them or not."""
    for path, text in texts:
        if path[-1] in _NAMING or len(path) > 1 and path[-2] in _NAMING:
            yield text
        elif len(path) > 1 and path[-2] == "volumes":
            yield text.partition(":")[0]


def _learn(name: str, text: str, names: set[str], own: set[str]) -> None:
    literal = text.strip("\"' ")
    if "$" in text:
        literal = expand(literal, lambda use: use.default or "")
        for use in uses(text):
            if sounds_secret(use.name) and use.default:
                _teach(use.default)
    url = service_url(literal)
    if url and url.password:
        _teach(url.password)
    elif literal and (_is_named_secret(name, literal, own) or _guessed(literal, own)):
        _teach(literal)
    for option in _OPTION.finditer(text) if "-" in text else ():
        _teach(option[1])
    for word in _WORD.findall(_DIGEST.sub("", text)) if _MAY_LOOK_SECRET.search(text) else ():
        if word not in names and not _among(own, word) and looks_secret(word):
            _teach(word)


def _is_named_secret(name: str, text: str, own: set[str]) -> bool:
    """Whether a variable's name says that its value is a secret, and the value is no name or path of the project."""
    return (
        sounds_secret(name) and text.lower() not in own and not (text.startswith("/") and _among(own, text))
    )


def _guessed(text: str, own: set[str]) -> bool:
    """Whether a whole value looks like a password or a key, and not like a name of the project."""
    return (_is_password(text) or _is_key(text)) and not _among(own, text)


def _among(own: set[str], text: str) -> bool:
    """Whether a text has the name of the project or of its folder in it."""
    return any(each in text.lower() for each in own)


def _teach(secret: str) -> None:
    """Learn a secret whole and by line: a message may quote one line of it.

    Not a word that everybody uses for a password, such as "changeme" or "postgres": our own sentences have it, too. Where
    it is a variable's value, it is masked by the variable's name.
    """
    if unknown(secret) or (secret.isalpha() and shape(secret) in ("default", "placeholder")):
        return
    lines = [line.strip() for line in _LINE_BREAK.split(secret)]
    for part in {secret, *(line for line in lines if not _PEM_EDGE.fullmatch(line))}:
        # As it is, and as compose files write a dollar sign.
        for each in {part, part.replace("$", "$$")}:
            Redactor.shared.learn(each)
