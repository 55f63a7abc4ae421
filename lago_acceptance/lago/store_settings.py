"""What PostgreSQL and Redis are set to: by their commands, their variables and the configuration files that are known."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise
from posixpath import basename

import msgspec

from lago_acceptance.core.value_shapes import unknown
from lago_acceptance.lago.startup import file_text, outcome_of
from lago_acceptance.model.deployment import Model, Service

_PAGE = 8192
_POSTGRES_UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}
_REDIS_UNITS = {
    "": 1,
    "b": 1,
    "k": 10**3,
    "kb": 2**10,
    "m": 10**6,
    "mb": 2**20,
    "g": 10**9,
    "gb": 2**30,
}
# Bitnami's images write these variables into the configuration.
_BITNAMI_POSTGRES = {
    "POSTGRESQL_FSYNC": "fsync",
    "POSTGRESQL_SYNCHRONOUS_COMMIT_MODE": "synchronous_commit",
    "POSTGRESQL_SHARED_BUFFERS": "shared_buffers",
}
_BITNAMI_FLAGS = ("REDIS_EXTRA_FLAGS", "VALKEY_EXTRA_FLAGS")
_BITNAMI_AOF = ("REDIS_AOF_ENABLED", "VALKEY_AOF_ENABLED")


class StoreSettings(msgspec.Struct, frozen=True):
    """Settings by name, in lower case. ``complete``: no configuration file that isn't known can change them."""

    values: dict[str, str]
    complete: bool

    def get(self, name: str) -> str:
        """A setting's text, "" where it isn't set here."""
        return self.values.get(name, "")


def postgres_settings(service: Service, model: Model) -> StoreSettings:
    """What PostgreSQL's command line, variables and configuration files set; the command line wins."""
    servers = [program for program in _programs(service, model) if _is_postgres(program)]
    given = dict(_postgres_options(_split(service.value("POSTGRES_INITDB_ARGS"))))
    for program in servers:
        given |= dict(_postgres_options(program))
    for variable, name in _BITNAMI_POSTGRES.items():
        if service.value(variable):
            given.setdefault(name, service.value(variable))
    path = given.get("config_file")
    text = file_text(service, model, path).literal if path else ""
    return StoreSettings(dict(_postgres_lines(text or "")) | given, text is not None)


def redis_settings(service: Service, model: Model) -> StoreSettings:
    """What Redis' command line, variables and configuration files set; the command line wins."""
    words = [word for program in _programs(service, model) for word in program]
    for variable in _BITNAMI_FLAGS:
        words += _split(service.value(variable))
    given = _redis_options(words)
    for variable in _BITNAMI_AOF:
        if service.value(variable):
            given.setdefault("appendonly", service.value(variable))
    texts = [file_text(service, model, word).literal for word in words if word.endswith(".conf")]
    written: dict[str, str] = {}
    for text in texts:
        for line in (text or "").splitlines():
            name, _, value = line.strip().partition(" ")
            written[name.lower()] = value.strip().strip("\"'")
    return StoreSettings(written | given, None not in texts and not any(map(unknown, words)))


def postgres_bytes(text: str) -> int | None:
    """A memory setting of PostgreSQL in bytes; a number without a unit counts pages of 8 kB."""
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", text.strip().strip("'").lower())
    if not found:
        return None
    unit = _POSTGRES_UNITS.get(found[2], _PAGE if not found[2] else 0)
    return int(found[1]) * unit or None


def redis_bytes(text: str) -> int | None:
    """A memory setting of Redis in bytes; None where there is no limit."""
    found = re.fullmatch(r"(\d+)([a-z]*)", text.strip().lower())
    return (int(found[1]) * _REDIS_UNITS.get(found[2], 0) or None) if found else None


def _programs(service: Service, model: Model) -> list[tuple[str, ...]]:
    """The programs that a container starts; the image's entrypoint runs the command that it is given."""
    words = (*service.entrypoint, *service.command)
    own = bool(words) and basename(words[0]) == "docker-entrypoint.sh"
    started = msgspec.structs.replace(service, entrypoint=(), command=words[1:] if own else words)
    return outcome_of(started, model).programs


def _is_postgres(program: Sequence[str]) -> bool:
    """Whether a program is the server: by its name, behind a wrapper, or options alone for the image's entrypoint."""
    return program[0].startswith("-") or any(
        basename(word) in ("postgres", "docker-entrypoint.sh") for word in program[:4]
    )


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _postgres_options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word, following in pairwise([*words, ""]):
        if word == "-B":
            yield "shared_buffers", following
        elif word == "-F":
            yield "fsync", "off"
        elif word in ("-c", "--set"):
            yield _pair(following)
        elif found := re.fullmatch(r"(?:-c|--)([a-z_.-]+=.*)", word):
            yield _pair(found[1])


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower().replace("-", "_"), value.strip().strip("'\"")


def _postgres_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if found := re.match(r"\s*([a-z_.]+)\s*=?\s*([^#]+)", line):
            yield found[1], found[2].strip().strip("'")


def _redis_options(words: Sequence[str]) -> dict[str, str]:
    options: dict[str, list[str]] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").lower().partition("=")
            options[name] = [value] if equals else []
        elif name:
            options[name].append(word)
    return {name: " ".join(values).strip("\"' ") for name, values in options.items()}
