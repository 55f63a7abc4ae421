"""Check that the last dump of the database is one: whole, with Lago's tables and their rows, and not suddenly small."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.dump import TABLES, Content, Dump
from lago_acceptance.facts.types import Facts

_NOT_FOUND = (125, 126, 127)
# Of timeout: 124 of GNU's; of BusyBox', and where the program did not end, that of the signal.
_LATE = (124, 137, 143)
# gzip's for "there is more behind the end, and it was left out".
_WARNED = {"gzip": 2}
_LOST = "if the disk fails, the invoices, customers and usage since the last good dump are gone"


@registry.check(
    phase=2,
    errors={
        "dump-damaged": "The last dump of the database can be read to its end.",
        "dump-incomplete": "The last dump holds Lago's tables and their rows.",
        "dump-shrunk": "The last dump is not less than half the size of the one before.",
    },
)
def last_dump_can_be_restored(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The newest dump can be read to pg_dump's end mark, holds Lago's tables with their rows, and did not shrink.

    Plain SQL, pg_dump's custom and tar formats, and gzip, zstd, xz or bzip2 of these. Files up to 64 MiB are read whole, of
    larger ones the beginning, and the end of plain ones. That the last dump lacks a table's definition or the rows of some
    tables is a warning, since those may be elsewhere.
    """
    if settings.backup is None:
        raise Unknown(
            "settings.toml does not say where dumps are ([backup] files)",
            why="settings.toml does not say where dumps are",
            fix="set files and hours under [backup]",
        )
    if facts.dumps and is_being_written(facts, facts.dumps[-1]):
        raise Unknown(
            f"{facts.dumps[-1].path} is being written right now",
            why="the last dump is being written right now",
            fix="run again when it is done",
        )
    if not facts.dumps or not facts.dumps[-1].size:
        raise Blocked("dump-old", "there is no dump to look into")
    last = facts.dumps[-1]
    if last.kind == "closed" or last.content is None:
        raise Unknown(
            f"{last.path} can't be read by this user",
            why="the last dump may not be read by this user",
            fix="log in as root, or let this user read the dumps",
        )
    container = next((each.name for each in facts.of_role(DB)), "NAME")
    found = [damaged] if (damaged := _damaged(last, last.content, container)) else []
    found = found or [*_incomplete(last, last.content, container), *_shrunk(facts.dumps, container)]
    yield from found
    # What was found counts, whatever else is not known.
    if not found and (unseen := _unseen(last, last.content)):
        raise Unknown(
            f"whether {last.path} is whole: {unseen}",
            why="the last dump was not read to its end",
            fix=f"read it once by hand: {_by_hand(last, container)}",
        )


def is_being_written(facts: Facts, dump: Dump) -> bool:
    """Whether a dump has grown while the host was looked at."""
    return facts.later_dump_sizes.get(dump.path, dump.size) > dump.size


def _damaged(last: Dump, content: Content, container: str) -> Finding | None:
    name = f"the last dump, {last.path} ({last.size} bytes),"
    if content.code in _NOT_FOUND:
        return None
    if content.inner == "empty" and content.code == 0:
        problem = f"{name} has nothing in it: it is {last.kind} of no bytes"
    elif content.inner in ("empty", "sql") and _failed(last, content):
        problem = (
            f"{name} is cut off or damaged: {last.kind} can't read it to its end (exit code {content.code})"
        )
    elif content.inner == "archive" and content.said and "unsupported version" not in content.said:
        problem = f"{name} is damaged: {content.said}"
    elif content.inner == "text" or (content.inner == "sql" and not content.begun):
        problem = f"{name} is a text, and not one that pg_dump has written"
    elif content.inner == "sql" and not content.ended and (content.whole or last.kind == "other"):
        if content.code in _LATE:
            return None
        problem = f"{name} lacks pg_dump's end mark: it was cut off while it was written"
    else:
        return None
    return Finding(
        id="dump-damaged",
        role=DB,
        problem=problem,
        impact=f"it can't be restored; {_LOST}",
        fix=f"make one by hand and read its messages: {_make(container)}; "
        "in a script, set -o pipefail, or gzip hides that pg_dump has failed",
    )


def _failed(last: Dump, content: Content) -> bool:
    return content.code not in (None, 0, _WARNED.get(last.kind), *_LATE)


def _incomplete(last: Dump, content: Content, container: str) -> Iterator[Finding]:
    if content.inner not in ("sql", "archive") or not content.begun:
        return
    known = content.created | content.filled
    lacks = [name for name in TABLES if name not in known]
    empty = [name for name in TABLES if name not in content.filled]
    complete = content.whole and content.code not in _LATE
    seen = complete or bool(content.created)
    if lacks and seen:
        severity, what = Severity.ERROR, f"lacks Lago's tables {', '.join(lacks)}"
    elif complete and len(empty) == len(TABLES):
        severity, what = Severity.ERROR, "has the definitions of the tables and no rows (--schema-only)"
    elif complete and empty:
        severity, what = Severity.WARNING, f"has no rows of {', '.join(empty)}"
    elif complete and not content.created:
        severity, what = Severity.WARNING, "has rows and no definitions of tables (--data-only)"
    else:
        return
    yield Finding(
        id="dump-incomplete",
        role=DB,
        severity=severity,
        problem=f"the last dump, {last.path}, {what}",
        impact="it brings back a part of Lago only" if severity is Severity.WARNING else _LOST,
        fix=f"dump the whole database that DATABASE_URL names: {_make(container)}",
    )


def _shrunk(dumps: tuple[Dump, ...], container: str) -> Iterator[Finding]:
    if len(dumps) < 2 or dumps[-1].kind != dumps[-2].kind or dumps[-1].size * 2 >= dumps[-2].size:
        return
    last, before = dumps[-1], dumps[-2]
    yield Finding(
        id="dump-shrunk",
        role=DB,
        problem=f"the last dump, {last.path}, has {last.size} bytes, less than half of the {before.size} of the one before, "
        f"{before.path}",
        impact=f"a part of the data is missing in it, or was deleted; {_LOST}",
        fix=f"compare the numbers of rows: docker exec {container} psql -U lago -c 'SELECT relname, n_live_tup FROM "
        f"pg_stat_user_tables ORDER BY 2 DESC LIMIT 20'; keep the dump before until it is explained",
    )


def _unseen(last: Dump, content: Content) -> str:
    """Why the end was not seen, or ""."""
    if content.inner == "binary":
        return "it is in no format that can be read here (encrypted, or an archive of files)"
    if content.code in _NOT_FOUND:
        tool = "pg_restore in the database's container" if content.inner == "archive" else last.kind
        return f"{tool} is needed to read it, and can't be run here"
    if "unsupported version" in content.said:
        return f"a newer pg_dump has written it: {content.said}"
    if content.code in _LATE:
        return "it could not be read in two seconds"
    if content.inner == "archive" and content.code != 0 and content.whole:
        return f"pg_restore ended with exit code {content.code} and gave no reason"
    return "" if content.ended else "it is too large to be read whole in every run"


def _make(container: str) -> str:
    return f'docker exec {container} sh -c \'pg_dump -U "$POSTGRES_USER" "$POSTGRES_DB"\' >/tmp/lago.sql'


def _by_hand(last: Dump, container: str) -> str:
    path = f"'{last.path}'"
    if last.content and last.content.inner == "archive" and last.kind == "archive":
        return f"docker exec -i {container} pg_restore -f /dev/null <{path}"
    if last.kind in ("gzip", "zstd", "xz", "bzip2"):
        return f"{last.kind} -dc {path} | tail -n 5"
    return f"tail -n 5 {path}"
