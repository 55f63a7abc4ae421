"""What an upgrade changes in answers about what was there before, and is meant to (answer_changes.toml)."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import msgspec

from lago_acceptance.lago.release_table import Release, same_schema
from lago_acceptance.lago.upgrades import numbers

# In place of a field: objects of this kind are no longer there.
WHOLE = "*"


class ChangedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A ``field`` of the object ``of`` in answers that has another value from ``since`` on; WHOLE: such objects are missing."""

    since: str
    of: str
    field: str
    says: str

    def explains(self, path: str, field: str) -> bool:
        """Whether it is about a field ("a.b", WHOLE for none) of the object at this path ("invoice.fees[]")."""
        return f"{path}.{field}".split(".")[-2:] == [self.of, self.field]


def between(had: Release, has: Release) -> tuple[ChangedAnswer, ...]:
    """The changes that an upgrade between two releases meets."""
    old, new = same_schema(had).numbers, same_schema(has).numbers
    return tuple(each for each in changes() if old < numbers(each.since) <= new)


@cache
def changes() -> tuple[ChangedAnswer, ...]:
    """All that is known."""
    text = Path(__file__).with_name("answer_changes.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["change"], tuple[ChangedAnswer, ...])
