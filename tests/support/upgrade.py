"""Facts of hosts on the way between two releases: their migrations are those of Lago's tags, everything else is made up."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from lago_acceptance.core.roles import API
from lago_acceptance.facts.answers import AppliedMigrations, DatabaseAnswers, LagoProcess
from lago_acceptance.facts.redis_answers import RedisAnswers
from lago_acceptance.facts.sidekiq_answers import FillingJob, RedisDatabase
from lago_acceptance.facts.structure import Structure
from lago_acceptance.facts.types import Facts
from lago_acceptance.facts.upgrade import Part, Room, UpgradeAnswers, key_of
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.upgrades import FOLDED_IN, FOLDED_MIGRATION, numbers
from tests.support import facts as support
from tests.support.paths import DATA

GIB = 2**30
ROWS = 7


@cache
def added() -> dict[str, tuple[str, ...]]:
    """The migrations that some tags have added since the one before, by tag."""
    lines = (line.split("\t") for line in (DATA / "upgrade" / "migrations.tsv").read_text().splitlines())
    return {tag: tuple(versions.split()) for tag, versions in lines}


def applied(tag: str) -> tuple[str, ...]:
    """The migrations of a database that has come all the way to a tag, sorted."""
    return tuple(sorted(v for each, new in added().items() if numbers(each) <= numbers(tag) for v in new))


def files(tag: str) -> tuple[str, ...]:
    """The migrations in the image of a tag: from FOLDED_IN on the older ones are one."""
    folded = numbers(tag) >= FOLDED_IN
    return tuple(f"{each}_migration" for each in applied(tag) if not folded or each >= FOLDED_MIGRATION)


def half(old: str, new: str, ran: int) -> tuple[str, ...]:
    """The migrations of a database whose upgrade has ended after so many of them."""
    have = applied(old)
    return tuple(sorted((*have, *[each for each in applied(new) if each not in have][:ran])))


def parts(tag: str, left: dict[str, int]) -> dict[str, Part]:
    """What is counted in a schema of a tag, where every table has seven rows. ``left`` by "table.column", else nothing."""
    found = {}
    for each in upgrades.constraints():
        if each.undone:
            there = not each.column_since or numbers(each.column_since) <= numbers(tag)
            key = key_of(each.table, each.undone)
            open_ = left.get(f"{each.table}.{each.column or each.undone}", 0)
            found[key] = (
                Part(key, "small", ROWS, True, 8192, None, open_, ROWS) if there else Part(key, "no column")
            )
    return found


def job(name: str, place: str, **more: Any) -> FillingJob:
    """Jobs that fill data in."""
    return FillingJob(f"DatabaseMigrations::{name}", place, **({"count": 1, "at": support.NOW - 3600} | more))


def host(
    tag: str = "v1.25.0",
    image: str | None = None,
    left: dict[str, int] | None = None,
    jobs: tuple[FillingJob, ...] | None = (),
    **more: Any,
) -> Facts:
    """A host whose database has a tag's schema, and whose API runs an image (the same tag's; "" for one that can't be asked).

    ``more`` replaces fields of the upgrade's answers, or of the facts where they are named so.
    """
    image = tag if image is None else image
    upgrade = {
        "applied": applied(tag),
        "size": GIB,
        "parts": parts(tag, left or {}),
        "seconds": 0.04,
        "complete": True,
        "rooms": (Room("/", 10 * GIB),),
    }
    upgrade |= {name: more.pop(name) for name in [*more] if name in UpgradeAnswers.__struct_fields__}
    versions = upgrade["applied"] or ()
    containers = support.lago()
    api = next(each for each in containers if each.role == API)
    service = msgspec.structs.replace(api.service, image=f"getlago/api:{image or tag}")
    containers = tuple(
        msgspec.structs.replace(each, service=service) if each.role == API else each for each in containers
    )
    process = LagoProcess(
        migration_files=files(image) if image else None,
        schema=Structure(columns={"fees": ("id",), "customers": ("id",)}),
    )
    redis = RedisAnswers(databases=(RedisDatabase(0, (), (), (), 0, 0, filling=jobs),))
    given = {
        "database": DatabaseAnswers(
            migrations=AppliedMigrations(len(versions), max(versions, default=None)),
            tables=("fees", "customers", "schema_migrations"),
        ),
        "upgrade": UpgradeAnswers(**upgrade),
        "lago": {api.id: process},
        "redis": redis,
    }
    return support.facts(*containers, **(given | more))


def with_part(facts: Facts, table: str, undone: str, *seen: Any) -> Facts:
    """A host of which something else is known of one proof; ``seen`` are the fields of Part behind its name."""
    assert facts.upgrade
    key = key_of(table, undone)
    parts = facts.upgrade.parts | {key: Part(key, *seen)}
    return msgspec.structs.replace(facts, upgrade=msgspec.structs.replace(facts.upgrade, parts=parts))
