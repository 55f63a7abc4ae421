"""Lago's source at each release: the files that the tables are read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from lago_acceptance.lago_source.checkout import Blob, Checkout, Tagged

_MIGRATIONS = "db/migrate/"
# The structure of the database is a file of its own for each release; it is read when it is needed.
_STRUCTURES = ("db/schema.rb", "db/structure.sql")
# The largest files that are read, in bytes; the folded migration is larger, and needn't be.
_TEXT_CAP, _STRUCTURE_CAP = 64_000, 2_000_000
_PATHS = (
    _MIGRATIONS,
    *_STRUCTURES,
    "app/jobs/database_migrations",
    "app/jobs/send_webhook_job.rb",
    "app/models",
    "app/serializers/v1",
    "config/routes.rb",
    "Gemfile.lock",
    "lib/tasks",
    "scripts",
)


class Snapshot(msgspec.Struct, frozen=True):
    """A release and its texts, by their paths ("" where one is too large); without the structure of its database."""

    release: Tagged
    texts: Mapping[str, str]
    structure: Blob | None

    @property
    def tag(self) -> str:
        """The tag of the release."""
        return self.release.tag

    @property
    def migrations(self) -> list[str]:
        """The paths of its migrations, oldest first."""
        return sorted(each for each in self.texts if each.startswith(_MIGRATIONS) and each.endswith(".rb"))

    @property
    def newest_migration(self) -> str:
        """The number of its newest migration."""
        return number_of(self.migrations[-1]) if self.migrations else ""

    def below(self, folder: str) -> Iterator[tuple[str, str]]:
        """The Ruby and rake files below a folder, with their texts."""
        for path, text in self.texts.items():
            if path.startswith(folder) and path.endswith((".rb", ".rake")):
                yield path, text


class History:
    """All releases of a checkout. UsageError where it can't be read."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        files = {each: checkout.files(each.tag, *_PATHS) for each in checkout.releases()}
        wanted = {blob for of in files.values() for path, blob in of.items() if path not in _STRUCTURES}
        texts = checkout.texts(wanted, _TEXT_CAP)
        self.all = tuple(_snapshot(release, of, texts) for release, of in files.items())

    @property
    def in_order(self) -> tuple[Snapshot, ...]:
        """The releases in the order of their numbers, without those that are newer than their number says."""
        right: list[Snapshot] = []
        for each in reversed(self.all):
            later = next((one for one in right if one.release.numbers[:2] > each.release.numbers[:2]), None)
            if later is None or each.newest_migration <= later.newest_migration:
                right.insert(0, each)
        return tuple(right)

    def structure(self, snapshot: Snapshot) -> str:
        """The structure of a release's database: schema.rb, or SQL."""
        blob = snapshot.structure
        return self._checkout.texts([blob], _STRUCTURE_CAP).get(blob.id, "") if blob else ""


def number_of(path: str) -> str:
    """The number of a migration."""
    return path.rpartition("/")[2].partition("_")[0]


def _snapshot(release: Tagged, files: Mapping[str, Blob], texts: Mapping[str, str]) -> Snapshot:
    own = {path: texts.get(blob.id, "") for path, blob in files.items() if path not in _STRUCTURES}
    structure = next((files[each] for each in reversed(_STRUCTURES) if each in files), None)
    return Snapshot(release, own, structure)
