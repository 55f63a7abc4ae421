"""What the scripts that run inside containers answered. Whatever an answer lacks is None: not known."""

from __future__ import annotations

import contextlib
import types
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.database_server import DatabaseServer
from lago_acceptance.facts.structure import Structure
from lago_acceptance.facts.untrusted import decoded

Answer = TypeVar("Answer", bound=msgspec.Struct)


class LoadedKey(msgspec.Struct, frozen=True):
    """The RSA key that a process has loaded: ``public`` is the digest of its public half, ``error`` why it can't be
    loaded ("" where it can).
    """

    public: str | None = None
    bits: int | None = None
    private: bool | None = None
    consistent: bool | None = None
    error: str = ""


class EndpointAnswer(msgspec.Struct, frozen=True):
    """Status and content type of one answer of the API."""

    status: int | None = None
    type: str = ""


class Reached(msgspec.Struct, frozen=True):
    """What a process of Lago gets at the address in one of its URLs: the server's own identifier, or the status of a
    service without one (``answer``); ``error`` where nothing could be reached, ``refused`` what a server said instead,
    and ``unseen`` why it was not tried.
    """

    answer: str = ""
    error: str = ""
    refused: str = ""
    unseen: str = ""


class LagoProcess(msgspec.Struct, frozen=True):
    """What scripts/lago_process.rb found in one Ruby container.

    ``exec``: whether ``docker exec`` has the key too. ``served`` is the digest of the public key that the API serves,
    ``with_key`` whether the container has an API key, ``inside`` the status and body of each answer by name, and
    ``migrations`` the first and last version in the image, ``migration_files`` all its migrations in their order, without
    .rb (None where no upgrade is asked about). ``signals`` are those that process 1 handles, ``addresses``
    those of the hosts in Lago's URLs, and ``reached`` what was found there, by the variable that has the URL. ``schema`` is
    what the image's schema file states, ``log_bytes`` the size of the files in /app/log. ``error`` is what was said instead
    of an answer.
    """

    exec: bool | None = None
    key: LoadedKey | None = None
    answers: dict[str, EndpointAnswer] = {}
    health: str = ""
    error: str = ""
    served: str | None = None
    served_error: str = ""
    token_verifies: bool | None = None
    with_key: bool | None = None
    inside: dict[str, tuple[int, str]] = {}
    migrations: tuple[str, ...] = ()
    migration_count: int | None = None
    migration_files: tuple[str, ...] | None = None
    signals: tuple[str, ...] | None = None
    addresses: dict[str, tuple[str, ...]] | None = None
    reached: dict[str, Reached] = {}
    schema: Structure | None = None
    log_bytes: int | None = None

    def status(self, path: str) -> int | None:
        """The status of the API's answer for a path, None where there was none."""
        return self.answers[path].status if path in self.answers else None


class AppliedMigrations(msgspec.Struct, frozen=True):
    """How many migrations the database has, and the latest."""

    count: int | None = None
    latest: str | None = None


class SignAnswer(msgspec.Struct, frozen=True):
    """How many rows one sign of scripts/signs found, since when (Unix time), and the first of them; or the error."""

    count: int | None = None
    oldest: float | None = None
    examples: tuple[Any, ...] = ()
    error: str = ""


class DatabaseAnswers(msgspec.Struct, frozen=True):
    """What PostgreSQL answered. ``complete``: to every statement, so that nothing is missing for lack of time.

    ``system`` is the identifier that no other cluster has, ``server`` what it answered about itself.
    """

    directory: str | None = None
    system: str | None = None
    migrations: AppliedMigrations | None = None
    tables: tuple[str, ...] | None = None
    complete: bool = False
    structure: Structure | None = None
    signs: dict[str, SignAnswer] = {}
    server: DatabaseServer = DatabaseServer()


# What the checks read of Traefik's routers and services.
_OF_ROUTERS = dict.fromkeys(("name", "rule", "service", "provider", "status"), str) | {
    **dict.fromkeys(("using", "entryPoints", "error"), list[str]),
    "tls": dict[str, Any],
}
_OF_SERVICES = {"name": str, "loadBalancer": dict[str, list[dict[str, str]]]}


def database(named: dict[str, str]) -> tuple[DatabaseAnswers | None, str]:
    """The answers of scripts/database.sql and of the signs, and what went wrong."""
    answers: dict[str, Any] = {}
    problems = []
    for text in named.values():
        for line in text.splitlines():
            name, tab, value = line.partition("\t")
            if tab and name.isidentifier():
                answers[name] = decoded(value)
                if answers[name] is None and value != "null":
                    problems.append(line)
            elif line.strip():
                problems.append(line.strip())
    own, of_server = DatabaseAnswers.__struct_fields__, DatabaseServer.__struct_fields__
    signs = {name: answers[name] for name in answers if name not in own + of_server}
    server = {name: answers[name] for name in of_server if name in answers}
    found = decode(DatabaseAnswers, {**answers, "signs": signs, "server": server}) if answers else None
    return found, redact("; ".join(problems))[:500]


def proxy(text: str) -> dict[str, Any] | None:
    """Traefik's routers and services, or None where its API doesn't answer."""
    parts = [decoded(line) for line in text.splitlines() if line.strip().startswith("[")]
    if len(parts) != 2 or not all(isinstance(part, list) for part in parts):
        return None
    return {"routers": _named(parts[0], _OF_ROUTERS), "services": _named(parts[1], _OF_SERVICES)}


def _named(raw: list[Any], types_of: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of some objects that have a name, with the fields whose types are the expected ones."""
    objects = (each for each in raw if isinstance(each, dict))
    usable = (
        _usable({name: (kind, each[name]) for name, kind in types_of.items() if name in each})
        for each in objects
    )
    return [each for each in usable if "name" in each]


def lago_process(text: str) -> LagoProcess:
    """What scripts/lago_process.rb answered, or the text that came instead as its ``error``."""
    raw = decoded(text[max(text.find("{"), 0) :])
    if isinstance(raw, dict):
        return decode(LagoProcess, raw)
    return LagoProcess(error=redact(text.strip())[-300:] or "nothing came in time")


def decode(kind: type[Answer], raw: object) -> Answer:
    """An answer from JSON. Unknown fields, and fields of another type, are left out: they are not known then."""
    given = raw if isinstance(raw, dict) else {}
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    typed = {name: (fields[name].type, value) for name, value in given.items() if name in fields}
    return kind(**{fields[name].name: value for name, value in _usable(typed).items()})


def _usable(given: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Values by name, each given with its type: without those that are null or of another type."""
    usable = {}
    for name, (kind, value) in given.items():
        with contextlib.suppress(msgspec.ValidationError):
            if value is not None:
                usable[name] = _convert(kind, value)
    return usable


def _convert(kind: Any, value: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _convert(next(each for each in parts if each is not type(None)), value)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        return decode(kind, value)
    # Lua writes an empty list as an empty object, and an empty object as an empty list.
    if origin is tuple and value == {}:
        value = []
    if origin is dict and value == []:
        value = {}
    if origin is tuple and parts[-1] is Ellipsis and isinstance(value, list):
        return tuple(_convert(parts[0], each) for each in value)
    if origin is list and isinstance(value, list):
        return [_convert(parts[0], each) for each in value]
    if origin is dict and isinstance(value, dict):
        return _usable({name: (parts[1], each) for name, each in value.items()})
    return msgspec.convert(value, kind)
