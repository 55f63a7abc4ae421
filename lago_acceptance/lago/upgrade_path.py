"""The way from one release of Lago to another, as an operator names them."""

from __future__ import annotations

import re

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import Release, newest, releases, same_schema
from lago_acceptance.lago.upgrades import Leg, numbers, path

_TAG = re.compile(r"v?(\d{1,3}\.\d{1,3}\.\d{1,3})")


def named(text: str) -> Release:
    """The release that a text such as v1.16.0 or 1.16.0 names. UsageError where there is no such release."""
    found = _TAG.fullmatch(text.strip())
    release = releases().get(numbers(found[1])) if found else None
    if release is None:
        raise UsageError(
            f"{text!r} is not a release of Lago known here (v1.0.0 to {newest().tag}): give a tag such as v1.26.0"
        )
    return release


def legs(had: Release, has: Release) -> tuple[Leg, ...]:
    """The legs of an upgrade (``upgrades.path``); () where both are the same schema. UsageError for a way back."""
    old, new = same_schema(had), same_schema(has)
    if new.age < old.age:
        raise UsageError(
            f"{has.tag} is older than {had.tag}: Lago's migrations only go forward, so the way back is a backup "
            "(lago-acceptance rollback HOST)"
        )
    return path(old.numbers, new.numbers)
