"""The table of Lago's releases: what each one starts, reads and leaves open (docs/lago-facts.md, section 7).

releases.tsv has one line for each tag from v1.0.0 on. Releases are ordered by their migrations, not by their names:
v1.16.1 is the commit of v1.26.1.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import msgspec

Numbers = tuple[int, ...]


class Release(msgspec.Struct, frozen=True):
    """One tag of Lago. ``numbers`` are those of the tag. ``committed`` is the date of its commit, ``migrations`` how many it has.

    ``worker_config`` is the main worker's file for ``sidekiq -C``, ``worker_exec`` whether start.worker.sh passes signals
    on. ``seeded_key`` is the variable whose value the seeded API key takes, ``seeds_roles`` whether migrate.sh seeds
    roles. ``sidekiq_console`` is "option" (only with LAGO_SIDEKIQ_WEB) or "always open", ``metrics_open`` whether
    /metrics needs no key, ``ready_path`` the path of the readiness probe ("" where there is none).
    """

    tag: str
    numbers: Numbers
    committed: str
    migrations: int
    newest_migration: str
    worker_config: str
    worker_exec: bool
    seeded_key: str
    seeds_roles: bool
    sidekiq_console: str
    metrics_open: bool
    ready_path: str
    health_path: str

    @property
    def age(self) -> tuple[str, str]:
        """What orders releases: the newest migration, then the date."""
        return self.newest_migration, self.committed


@cache
def releases() -> dict[Numbers, Release]:
    """All known releases by the numbers of their tags, in the order of those numbers."""
    with Path(__file__).with_name("releases.tsv").open(encoding="utf-8", newline="") as stream:
        read = [_release(row) for row in csv.DictReader(stream, delimiter="\t")]
    return {each.numbers: each for each in sorted(read, key=lambda each: each.numbers)}


@cache
def nearest(version: Numbers) -> Release | None:
    """The release with these numbers, or the nearest older one that is known; None if there is none."""
    older = (each for each in reversed(releases().values()) if each.numbers <= version)
    return releases().get(version) or next((each for each in older if not is_misnumbered(each)), None)


def is_known(version: Numbers) -> bool:
    """Whether a version is none that came after this table: what such a one added or moved isn't known."""
    return version <= newest().numbers


@cache
def is_misnumbered(release: Release) -> bool:
    """Whether a release is newer than its number says: it has a migration that the next minor version lacks."""
    following = (each for each in releases().values() if each.numbers[:2] > release.numbers[:2])
    first = next(following, None)
    return first is not None and first.newest_migration < release.newest_migration


def same_schema(release: Release) -> Release:
    """The release with the same schema whose number can be trusted: v1.26.1 for v1.16.1, most are their own."""
    if not is_misnumbered(release):
        return release
    alike = (each for each in releases().values() if each.newest_migration == release.newest_migration)
    return max(alike, key=lambda each: each.numbers)


def newest() -> Release:
    """The newest release that is known."""
    return next(reversed(releases().values()))


def _release(row: dict[str, str]) -> Release:
    return Release(
        tag=row["tag"],
        numbers=tuple(int(part) for part in row["tag"].lstrip("v").split(".")),
        committed=row["committed"],
        migrations=int(row["migrations"]),
        newest_migration=row["newest_migration"],
        worker_config=row["worker_config"],
        worker_exec=row["worker_exec"] == "yes",
        seeded_key=row["seeded_key_is_value_of"],
        seeds_roles=row["migrate_seeds_roles"] == "yes",
        sidekiq_console=row["sidekiq_console"],
        metrics_open=row["metrics_open"] == "yes",
        ready_path=row["ready_path"].replace("none", ""),
        health_path=row["health_path"],
    )
