"""What Rails' own dumper writes of the database's schema, compared with the schema file of the image.

scripts/schema_dump.rb runs in Lago's Rails inside the API's container. It boots all of Lago, which takes some ten seconds of
a processor and some hundreds of MiB, so this is for the night.
"""

from __future__ import annotations

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.facts.answers import decode
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.types import Container
from lago_acceptance.facts.untrusted import decoded
from lago_acceptance.hosts.base import Host, ReadCommand

# Lago's boot takes 9 to 14 s, and several times as long on a busy host (docs/lago-facts.md, section 2).
SECONDS = 120
ROOM_MIB = 500
_ANSWER = "schema dump: "


class Part(msgspec.Struct, frozen=True):
    """A part of a schema. ``kind``: column, index, unique index, check constraint, foreign key, enum, view, function or
    trigger; ``text`` is its definition but for its name, of a column its type, which has its ``default`` beside it. Both
    are cut after 300 characters.
    """

    kind: str = ""
    table: str = ""
    name: str = ""
    text: str = ""
    default: str = ""


class SchemaDump(msgspec.Struct, frozen=True):
    """The parts that only the schema ``file`` has (``only_stated``), and those that only the database has
    (``only_there``). ``error``: why they are not known.
    """

    file: str = ""
    only_stated: tuple[Part, ...] = ()
    only_there: tuple[Part, ...] = ()
    error: str = ""


def dumped(host: Host, api: Container) -> SchemaDump:
    """Let Rails write the schema, in the API's container. Unreachable where the host does not answer."""
    variables = {
        "container": api.id,
        "program": render.script("schema_dump.rb"),
        "seconds": str(SECONDS),
        "room": str(ROOM_MIB * 1024 * 1024),
    }
    asked = ReadCommand("schema by Rails", render.script("schema_dump.sh"), variables, SECONDS + 20)
    return _parsed(host.read(asked))


def _parsed(output: str) -> SchemaDump:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    answer = next((line for line in lines if line.startswith(_ANSWER)), None)
    raw = decoded(answer.removeprefix(_ANSWER)) if answer else None
    if isinstance(raw, dict):
        found = decode(SchemaDump, raw)
        return msgspec.structs.replace(found, error=redact(found.error))
    # What is printed last is where it happened; what happened comes first.
    said = next((line for line in lines if "Error" in line or "aborted" in line), lines[-1] if lines else "")
    return SchemaDump(error=redact(said)[:300] or f"Lago's Rails gave no answer within {SECONDS} s")
