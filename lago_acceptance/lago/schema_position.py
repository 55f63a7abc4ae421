"""Which release's schema a database has, by its migrations, and whether two releases have the same one."""

from __future__ import annotations

import msgspec

from lago_acceptance.lago.release_table import Release, newest, releases, same_schema
from lago_acceptance.lago.upgrades import FOLDED_IN, FOLDED_MIGRATION, FOLDED_OTHERS

# The one migration of these releases deletes fees over 0 and changes no table: their schema is that of v1.19.1.
_ONLY_DATA, _SCHEMA_OF_THOSE = ("v1.20.0", "v1.20.1", "v1.20.2"), "v1.19.1"


class Position(msgspec.Struct, frozen=True):
    """Where a database is: at ``release``, or past it on the way to ``following`` (None where it is at the release).

    ``beyond`` is whether it has migrations that no release known here has; ``release`` is then the newest one.
    """

    release: Release
    following: Release | None = None
    beyond: bool = False

    @property
    def exact(self) -> bool:
        """Whether the schema is one of a release, and not half of an upgrade."""
        return self.following is None and not self.beyond


def position(count: int | None, latest: str | None) -> Position | None:
    """Where a database with so many migrations up to ``latest`` is; None where that isn't known, or it is older than the table.

    From v1.31.0 on the number says nothing: there a database that was migrated step by step has more than a new one.
    """
    if not latest:
        return None
    in_order = sorted(
        (each for each in releases().values() if same_schema(each) is each),
        key=lambda each: (each.newest_migration, each.migrations, each.numbers),
    )
    passed = [each for each in in_order if _has(each, count, latest)]
    if not passed:
        return None
    last = passed[-1]
    if last.newest_migration == latest and (_folded(last) or count in (None, last.migrations)):
        return Position(last)
    if latest > newest().newest_migration:
        return Position(newest(), beyond=True)
    return Position(last, next(each for each in in_order[in_order.index(last) :] if each not in passed))


def rows_for(files: int, first: str) -> int:
    """How many rows schema_migrations has once all of an image's migrations have run, of which ``first`` is the number of the
    first. From v1.31.0 on that one file makes the rows of many older ones, too.
    """
    return files + FOLDED_OTHERS if first == FOLDED_MIGRATION else files


def migrations_between(older: Release, newer: Release) -> int:
    """How many migrations lie between two releases; 0 where both have the same schema, at least 1 where it isn't known."""
    alike = [_schema(each) for each in (older, newer)]
    if alike[0] == alike[1]:
        return 0
    return max(newer.migrations - older.migrations, 1)


def _schema(release: Release) -> tuple[int, str]:
    """What releases with the same schema have in common."""
    if release.tag in _ONLY_DATA:
        release = next(each for each in releases().values() if each.tag == _SCHEMA_OF_THOSE)
    return release.migrations, release.newest_migration


def _has(release: Release, count: int | None, latest: str) -> bool:
    """Whether a database has all of a release's migrations, as far as their number shows it."""
    enough = _folded(release) or count is None or release.migrations <= count
    return release.newest_migration <= latest and enough


def _folded(release: Release) -> bool:
    return same_schema(release).numbers >= FOLDED_IN
