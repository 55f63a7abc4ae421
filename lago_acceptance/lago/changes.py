"""What differs between two releases for those who run Lago and those who call it (docs/upgrades.md).

notices.toml has what a release opens, moves or renames in a deployment. api_changes.tsv has what was added to or removed from
REST answers, webhooks and routes; it is read from Lago's source (bin/lago-facts). Variables are those of variables.tsv.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from lago_acceptance.lago import variables
from lago_acceptance.lago.release_table import Numbers, Release, same_schema
from lago_acceptance.lago.upgrades import Proof, numbers

Area = Literal["answer", "webhook", "route", "variable"]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a release changes in a deployment whose files stay the same.

    ``since`` is the tag from which it holds, ``until`` the first later one without it ("": still so). ``what`` says what is so
    then, ``change`` what the deployment has to change ("": nothing). ``proof``, where there is one, counts the rows concerned.
    """

    since: str
    until: str = ""
    kind: Literal["opens", "renames", "needs", "behaves"]
    what: str
    change: str = ""
    proof: Proof | None = None


class ApiChange(msgspec.Struct, frozen=True):
    """Names that the release ``tag`` adds or removes at one place.

    ``area`` answer: fields of the object ``place`` in REST answers. webhook: types of webhooks. route: methods of the path
    ``place``. variable: what is read from the environment, by the front where that is ``place``, else by API and worker.
    """

    tag: str
    area: Area
    place: str
    change: Literal["added", "removed"]
    names: tuple[str, ...]


class Changes(msgspec.Struct, frozen=True):
    """What differs between two releases."""

    notices: tuple[Notice, ...]
    ended: tuple[Notice, ...]
    api: tuple[ApiChange, ...]


@cache
def notices() -> tuple[Notice, ...]:
    """All notices, in the order of the releases."""
    text = Path(__file__).with_name("notices.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["notice"], tuple[Notice, ...])


@cache
def api_changes() -> tuple[ApiChange, ...]:
    """All changes of the API, in the order of the releases."""
    with Path(__file__).with_name("api_changes.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return tuple(msgspec.convert(row | {"names": row["names"].split(" ")}, ApiChange) for row in rows)


def between(had: Release, has: Release) -> Changes:
    """What is new, what has ended and what has changed for an upgrade from ``had`` to ``has``.

    What came and went on the way is left out.
    """
    old, new = same_schema(had).numbers, same_schema(has).numbers

    def passed(tag: str) -> bool:
        return bool(tag) and old < numbers(tag) <= new

    return Changes(
        notices=tuple(each for each in notices() if passed(each.since) and not passed(each.until)),
        ended=tuple(each for each in notices() if passed(each.until) and not passed(each.since)),
        api=(*_net([each for each in api_changes() if passed(each.tag)]), *_variables(old, new, has.tag)),
    )


def _variables(old: Numbers, new: Numbers, tag: str) -> Iterator[ApiChange]:
    for side, place in ((variables.API_SIDE, ""), (variables.FRONT_SIDE, "front")):
        known = variables.known(side).values()
        added = tuple(each.name for each in known if each.read_in(new) and not each.read_in(old))
        removed = tuple(each.name for each in known if each.read_in(old) and not each.read_in(new))
        if added:
            yield ApiChange(tag, "variable", place, "added", added)
        if removed:
            yield ApiChange(tag, "variable", place, "removed", removed)


def _net(changes: list[ApiChange]) -> tuple[ApiChange, ...]:
    """The changes without names that came and went. A name that was changed several times is in the last of its changes."""
    sums: dict[tuple[str, str, str], int] = {}
    last: dict[tuple[str, str, str], ApiChange] = {}
    for change in changes:
        for name in change.names:
            key = change.area, change.place, name
            sums[key] = sums.get(key, 0) + (1 if change.change == "added" else -1)
            last[key] = change

    def counts(change: ApiChange, name: str) -> bool:
        key = change.area, change.place, name
        return sums[key] != 0 and last[key] is change

    left = (
        msgspec.structs.replace(each, names=tuple(name for name in each.names if counts(each, name)))
        for each in changes
    )
    return tuple(each for each in left if each.names)
