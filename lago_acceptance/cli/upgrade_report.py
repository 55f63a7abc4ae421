"""What the checks of an upgrade say about a host, as lines for a reader and as JSON: the verdict first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from lago_acceptance.checks.upgrade import (
    Aim,
    aim_of,
    answers,
    constraints,
    image_release,
    jobs,
    lacks,
    others,
    place_of,
    room,
    schema,
)
from lago_acceptance.checks.upgrade.room import Ahead
from lago_acceptance.core.findings import Finding, errors_among
from lago_acceptance.core.moments import duration
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago.release_table import Release

ASSUMED = (
    "the times are those of reading each table once at 100 MB/s, and less where it is in memory; the moment of ACCESS EXCLUSIVE "
    "begins when every transaction that uses the table has ended, and whoever comes meanwhile waits behind it"
)
COUNTED = 'rows are counted exactly, except where it says "at least" (counting ended there) or "about" (PostgreSQL\'s statistics)'
_LISTED = 20
# Of findings whose problem is too long for the verdict, in the order in which they count.
_SHORT = {
    "upgrade-half-migrated": "the migrations of an upgrade ended half-way",
    "upgrade-image-older-than-schema": "the image that runs is older than the database",
    "upgrade-image-newer-than-schema": "the image that runs is newer than the database, and its migrations have not run",
    "upgrade-foreign-migrations": "it has migrations that the image lacks",
}


class Stop(msgspec.Struct, frozen=True):
    """A stop that the schema has reached, and what its work has left, in words."""

    tag: str
    left: tuple[str, ...]


class Report(msgspec.Struct, frozen=True):
    """What was found. ``ready``: the next release may be deployed; ``unjudged`` are sentences: what, and why.

    ``seconds`` is how long PostgreSQL took, ``holdups`` the transactions that a migration would wait for.
    """

    verdict: str
    ready: bool
    schema: str
    image: str
    next: str
    to: str
    findings: tuple[Finding, ...]
    unjudged: tuple[str, ...]
    stops: tuple[Stop, ...]
    ahead: tuple[Ahead, ...]
    database_bytes: int | None
    seconds: float | None
    holdups: tuple[str, ...]


def made(facts: Facts, settings: Settings, to: Release | None) -> Report:
    """The report on an upgrade to ``to``, None for the next stop. UsageError where the database is newer."""
    aim, beyond_reach = _aim(facts, to)
    findings, unjudged, undecided = _judged(facts, settings, to)
    errors = errors_among(findings)
    image = image_release(facts, settings)
    upgrade = facts.upgrade
    return Report(
        verdict=_verdict(facts, aim, errors, undecided or beyond_reach),
        ready=aim is not None and not errors and not undecided,
        schema=place_of(aim.state) if aim else "",
        image=image.tag if image else "",
        next=aim.next.tag if aim else "",
        to=aim.to.tag if aim else "",
        findings=tuple(findings),
        unjudged=tuple(unjudged),
        stops=tuple(_stops(facts, aim)) if aim else (),
        ahead=tuple(room.ahead(facts, to)) if aim else (),
        database_bytes=upgrade.size if upgrade else None,
        seconds=upgrade.seconds if upgrade else None,
        holdups=tuple(_holdups(facts)),
    )


def _aim(facts: Facts, to: Release | None) -> tuple[Aim | None, str]:
    try:
        return aim_of(facts, to), ""
    except (Blocked, Unknown) as error:
        return None, str(error)


def _judged(facts: Facts, settings: Settings, to: Release | None) -> tuple[list[Finding], list[str], str]:
    """The findings of all checks, what was not judged, and why it isn't known whether the data is ready ("" where it is)."""
    checks: dict[str, Callable[[], Iterable[Finding]]] = {
        "schema": lambda: schema.is_a_releases(facts, settings),
        "others": lambda: others.are_not_in_the_way(facts),
        "data": lambda: constraints.hold(facts, to),
        "jobs": lambda: jobs.have_run(facts, to),
        "room": lambda: room.is_there(facts),
    }
    findings: list[Finding] = []
    unjudged: dict[str, str] = {}
    for name, check in checks.items():
        try:
            findings += check()
        except Blocked as blocked:
            # What a finding here explains needs no second line.
            if blocked.by not in {each.id for each in findings}:
                unjudged[name] = str(blocked)
        except Unknown as unknown:
            unjudged[name] = f"{unknown}" + (f"; {unknown.fix}" if unknown.fix else "")
    own = {each.id for each in findings}
    kept = {
        name: text for name, text in unjudged.items() if not any(f"because of {id})" in text for id in own)
    }
    return findings, list(dict.fromkeys(kept.values())), kept.get("data", "")


def _verdict(facts: Facts, aim: Aim | None, errors: list[Finding], undecided: str) -> str:
    if aim is None:
        why = errors[0].problem if errors else undecided
        return f"whether this database is ready for an upgrade can't be judged: {why}"
    where = (
        f"this database is at {place_of(aim.state)}"
        if aim.state.at
        else f"this database has {place_of(aim.state)}"
    )
    if errors:
        open_ = lacks(answers(facts), aim.due)
        ids = {each.id: each.problem for each in errors}
        short = next((words for id, words in _SHORT.items() if id in ids), "")
        why = short or ("; ".join(open_[:3]) if open_ else errors[0].problem)
        target = aim.state.next if aim.state.half else aim.next
        what = f"ready for {target.tag}" if target and aim.legs else "in order"
        return f"{where}; it is not {what}: {why}"
    if undecided:
        return f"{where}; whether it is ready for {aim.next.tag} can't be judged: {undecided}"
    if not aim.legs:
        return f"{where}: there is nothing to upgrade to {aim.to.tag}"
    further = f", the next release on the way to {aim.to.tag}" if aim.next != aim.to else ""
    return f"{where}, and ready for {aim.next.tag}{further}"


def _stops(facts: Facts, aim: Aim) -> Iterator[Stop]:
    found = answers(facts)
    for stop in aim.reached:
        due = [each for each in stop.constraints if each.migration not in aim.state.applied]
        yield Stop(stop.tag, tuple(lacks(found, [*due, *stop.proof, *stop.left])))


def _holdups(facts: Facts) -> Iterator[str]:
    server = facts.database.server if facts.database else None
    for each in (server.transactions if server else None) or ():
        yield f"{each.application or each.role or 'a session'} (process {each.pid}), for {duration(each.age)}"


def as_json(report: Report) -> str:
    """The report as JSON."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_text(report: Report) -> Iterator[str]:
    """The report as lines for a terminal."""
    yield report.verdict
    for finding in report.findings:
        yield ""
        yield from str(finding).splitlines()
    if report.unjudged:
        yield ""
        yield "not judged:"
        yield from (f"  {each.removeprefix('not judged: ')}" for each in report.unjudged)
    if report.schema:
        yield ""
        yield "stops that this database has reached:" + ("" if report.stops else " none yet")
        for stop in report.stops:
            yield f"  {stop.tag}: " + (
                f"not done: {'; '.join(stop.left)}" if stop.left else "nothing is left that can be seen"
            )
    if report.ahead:
        yield ""
        yield f"what migrations up to {report.to} validate, with the locks and the time that it takes:"
        yield from _table(report.ahead)
        yield from (f"  {each}" for each in dict.fromkeys(each.lock for each in report.ahead))
        yield f"  {ASSUMED}"
        yield f"  {COUNTED}"
    for each in report.holdups:
        yield f"  a migration would wait for the open transaction of {each}"
    if report.database_bytes is not None:
        yield ""
        took = (
            f"; PostgreSQL took {report.seconds * 1000:.0f} ms to answer"
            if report.seconds is not None
            else ""
        )
        yield f"the database has {report.database_bytes / room.MIB:.0f} MiB{took}"


def _table(ahead: tuple[Ahead, ...]) -> Iterator[str]:
    rows = [
        (
            each.release,
            f"{each.table}.{each.column}" if each.column else each.table,
            f"{each.rows} rows" if each.rows else "",
            ""
            if each.bytes is None
            else "under 1 MiB"
            if each.bytes < room.MIB
            else f"{each.bytes // room.MIB:,} MiB",
            room.seconds_text(each.seconds),
            f"{each.left} left" if each.left is not None else each.state,
        )
        for each in ahead
    ]
    shown = rows[:_LISTED] if len(rows) > _LISTED + 5 else rows
    widths = [max(len(row[at]) for row in shown) for at in range(len(rows[0]))]
    for row in shown:
        yield "  " + "  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip()
    if len(shown) < len(rows):
        yield f"  and {len(rows) - len(shown)} more (--json lists them)"
