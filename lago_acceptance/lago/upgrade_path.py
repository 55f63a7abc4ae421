"""The way from one release of Lago to another, as an operator names them."""

from __future__ import annotations

import re

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import (
    Numbers,
    Release,
    is_known,
    is_misnumbered,
    nearest,
    newest,
    releases,
    same_schema,
)
from lago_acceptance.lago.upgrades import Leg, Stop, numbers, path, stops

_TAG = re.compile(r"v?(\d{1,3}\.\d{1,3}\.\d{1,3})")
_SHOWN = 60


def named(text: str) -> Release:
    """The release that a text such as v1.16.0 or 1.16.0 names. UsageError where there is no such release."""
    text = text.strip()
    found = _TAG.fullmatch(text)
    if found is None:
        raise UsageError(f"{text[:_SHOWN]!r} is not a release of Lago: {_instead_of(text)}")
    release = releases().get(numbers(found[1]))
    if release is None:
        raise UsageError(f"{text} is not a release of Lago known here: {_near(numbers(found[1]))}")
    if is_misnumbered(release):
        real = same_schema(release).tag
        raise UsageError(
            f"{release.tag} is {real} under another number, and no patch of what its number says: give {real}"
        )
    return release


def stop_at(tag: str) -> Stop:
    """The stop with a tag. UsageError where there is none, or no later release's image can do its work."""
    known = {each.tag: each for each in stops() if each.also}
    if tag not in known:
        raise UsageError(
            f"{tag} is not a stop whose work the image of a later release can do; there is: {', '.join(known)}"
        )
    return known[tag]


def legs(had: Release, has: Release) -> tuple[Leg, ...]:
    """The legs of an upgrade (``upgrades.path``); () where both are the same release. UsageError for a way back."""
    old, new = same_schema(had), same_schema(has)
    if (new.newest_migration, new.numbers) < (old.newest_migration, old.numbers):
        raise UsageError(
            f"{has.tag} is older than {had.tag}: Lago's migrations only go forward, so the way back is a backup "
            "(lago-acceptance rollback HOST)"
        )
    return path(old.numbers, new.numbers)


def overdue(had: Release, has: Release) -> tuple[Stop, ...]:
    """The stops that lie behind ``had`` and whose data a release up to ``has`` requires: it may still have to be filled in."""
    old, new = same_schema(had).numbers, same_schema(has).numbers
    return tuple(
        each
        for each in stops()
        if each.version < old and each.required_by and old < numbers(each.required_by) <= new
    )


def _instead_of(text: str) -> str:
    if text.removeprefix("v") in ("latest", "main", "stable", "edge"):
        return "that tag is another release each month; give the one that is meant, such as v1.26.0"
    own = _TAG.match(text)
    if own and (release := releases().get(numbers(own[1]))):
        return f"it is the tag of somebody's own image; give the release that it is made from, such as {release.tag}"
    return f"give a tag of Lago, from v1.0.0 to {newest().tag}; for an image of your own, the release that it is made from"


def _near(version: Numbers) -> str:
    """What to give in place of a version that there is not."""
    if not is_known(version):
        return f"the newest one is {newest().tag}; for a later one, update lago-acceptance"
    older = nearest(version)
    later = next((each for each in releases().values() if each.numbers > version), None)
    near = [each.tag for each in (older, later) if each]
    return f"the nearest {'are' if len(near) > 1 else 'is'} {' and '.join(near)}"
