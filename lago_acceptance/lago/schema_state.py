"""Which release's schema a database has, by the migrations that it has applied, and how that differs from an image's.

From FOLDED_IN on an image has one migration in place of all up to FOLDED_MIGRATION, so only later ones can be counted there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import msgspec

from lago_acceptance.lago.release_table import Release, is_misnumbered, newest, releases
from lago_acceptance.lago.upgrades import FOLDED_IN, FOLDED_MIGRATION


class SchemaState(msgspec.Struct, frozen=True, dict=True):
    """The ``applied`` migrations of a database, and those of the ``image`` that runs (versions; () where not known)."""

    applied: frozenset[str]
    image: tuple[str, ...] = ()

    @property
    def latest(self) -> str:
        """The newest migration that was applied, "" where none was."""
        return max(self.applied, default="")

    @cached_property
    def at(self) -> Release | None:
        """The release whose schema this is; of several with the same one the newest. None between two releases."""
        exact = [each for each in _in_order() if each.newest_migration == self.latest and self._has(each)]
        return exact[-1] if exact else None

    @cached_property
    def beyond(self) -> Release | None:
        """The newest release whose migrations have all been applied, None for a database from before v1.0.0."""
        return next((each for each in reversed(_in_order()) if self._has(each)), None)

    @cached_property
    def next(self) -> Release | None:
        """The first release that needs a migration which was not applied; None beyond the newest."""
        known = _in_order()
        if self.beyond is None:
            return known[0]
        later = (each for each in known if order(each) > order(self.beyond))
        return next(later, None)

    @property
    def pending(self) -> tuple[str, ...]:
        """The image's migrations that were not applied, in their order."""
        return tuple(sorted(each for each in self.image if each not in self.applied))

    @property
    def newer(self) -> tuple[str, ...]:
        """Applied migrations that are newer than all of the image's."""
        return tuple(sorted(each for each in self.applied if self.image and each > max(self.image)))

    @property
    def extra(self) -> tuple[str, ...]:
        """Applied migrations that the image lacks, without those that were folded into its first one."""
        lacking = self.applied - set(self.image)
        return tuple(sorted(each for each in lacking if self.image and each > min(self.image)))

    @property
    def foreign(self) -> tuple[str, ...]:
        """Those of them that are older than the image's newest: a later release's, a fork's or another branch's."""
        return tuple(each for each in self.extra if each < max(self.image))

    @property
    def half(self) -> bool:
        """Whether migrations ended half-way: the schema is no release's, and not what the image has either."""
        if self.at or not self.known:
            return False
        return bool(self.pending or self.newer) if self.image else True

    @property
    def known(self) -> bool:
        """Whether the schema is neither older nor newer than the table of releases."""
        return self.beyond is not None and self.latest <= newest().newest_migration

    def _has(self, release: Release) -> bool:
        if release.newest_migration not in self.applied:
            return False
        folded = release.numbers >= FOLDED_IN
        after = FOLDED_MIGRATION if folded else ""
        had = sum(after < each <= release.newest_migration for each in self.applied)
        return had >= release.migrations - (1 if folded else 0)


def versions(files: Iterable[str]) -> tuple[str, ...]:
    """The versions in the names of migrations, such as 20241119110219_update_index."""
    return tuple(each.partition("_")[0] for each in files)


def file_of(version: str, files: Sequence[str]) -> str:
    """The name of a migration, its version where it isn't known."""
    return next((each for each in files if each.startswith(f"{version}_")), version)


def order(release: Release) -> tuple[str, int]:
    """What orders releases by what is in their schema."""
    return release.newest_migration, release.migrations


def _in_order() -> list[Release]:
    """Those whose numbers can be trusted, in the order of their schemas."""
    found = [each for each in releases().values() if not is_misnumbered(each)]
    return sorted(found, key=lambda each: (each.newest_migration, each.numbers))
