"""Stand-ins for several of Lago's releases, under references whose tags say the release."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

from lago_acceptance.images import resolve
from tests.support.containers import docker


class Tagged:
    """References that no other test uses, each made when it is first asked for."""

    def __init__(self) -> None:
        self._prefix = f"selftest/{secrets.token_hex(4)}"
        self._made: set[str] = set()

    def api(self, release: str) -> str:
        """``selftest/<8 hex digits>/lago-api:v1.26.0``."""
        return self._reference("lago-api", release, resolve.stand_in("lago-api", release))

    def front(self, release: str) -> str:
        """``selftest/<8 hex digits>/lago-front:v1.26.0``."""
        return self._reference("lago-front", release, resolve.stand_in("lago-front"))

    def _reference(self, name: str, release: str, image: str) -> str:
        reference = f"{self._prefix}/{name}:{release}"
        if reference not in self._made:
            docker("tag", image, reference)
            self._made.add(reference)
        return reference

    def remove(self) -> None:
        """Take the references away; the images stay, under the names that they were built with."""
        if self._made:
            docker("rmi", "--force", "--no-prune", *self._made)
        self._made.clear()


@contextlib.contextmanager
def tagged_releases() -> Iterator[Tagged]:
    """References to stand-ins of releases; they are gone afterwards."""
    tagged = Tagged()
    try:
        yield tagged
    finally:
        tagged.remove()
