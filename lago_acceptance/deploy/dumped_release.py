"""Which release of Lago a dump's schema is, and the images of the releases on the way from there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy.rehearsal_source import Source
from lago_acceptance.lago.release_table import Release, is_misnumbered, newest, releases

_TAG = re.compile(r"(v?)(\d+\.\d+\.\d+)")


def release_of(migrations: Iterable[str], running: str = "") -> Release:
    """The release whose newest migration is the latest of these; where several have it, the one with the tag ``running``.

    UsageError where there is none: the schema is older or newer than what is known, or between two releases.
    """
    latest = max(migrations, default="")
    known = sorted(
        (each for each in releases().values() if not is_misnumbered(each)), key=lambda each: each.age
    )
    found = [each for each in known if each.newest_migration == latest]
    if found:
        return next(
            (each for each in found if each.tag == running), max(found, key=lambda each: each.numbers)
        )
    if latest < known[0].newest_migration:
        raise UsageError(
            f"the dump's latest migration is {latest or 'none'}, and {known[0].tag}, the oldest release known here, has "
            f"{known[0].newest_migration}: bring that database to {known[0].tag} by Lago's own guides first"
        )
    if latest > newest().newest_migration:
        raise UsageError(
            f"the dump's latest migration is {latest}, and {newest().tag}, the newest release known here, ends with "
            f"{newest().newest_migration}: the database is newer than that, or a fork's"
        )
    older = [each for each in known if each.newest_migration < latest][-1]
    newer = next(each for each in known if each.newest_migration > latest)
    raise UsageError(
        f"the dump's latest migration is {latest}, which is between {older.tag} and {newer.tag}: a migration has failed half-way "
        f"there, or the schema is a fork's. Take a dump from before that upgrade; lago-acceptance upgrade-check says how to go on "
        f"with the database itself"
    )


def references(reference: str, repository: str, tags: Iterable[str]) -> dict[str, str]:
    """The image of each tag: the API's ``reference`` with another tag, or that of ``repository`` where it is not "".

    UsageError where the reference has no release in its tag.
    """
    name, _, tag = reference.partition("@")[0].rpartition(":")
    found = _TAG.fullmatch(tag)
    if repository:
        return {each: f"{repository}:{each}" for each in tags}
    if not name or not found:
        raise UsageError(
            f"the API's image {reference} has no release of Lago in its tag, so the images of other releases can't be named after "
            "it: name their repository with --image-repository, such as getlago/api"
        )
    return {each: f"{name}:{found[1]}{each.removeprefix('v')}" for each in tags}


def on_host(source: Source, repository: str, tags: Sequence[str]) -> dict[str, str]:
    """The image of each tag for what runs on a host: that of the running API itself where it is of that release."""
    found = references(source.lago_reference, repository, tags)
    running = tag_in(source.lago_reference)
    return found | ({running: source.lago_image} if running in found else {})


def tag_in(reference: str) -> str:
    """The release in an image's tag, such as "v1.16.0"; "" where it has none."""
    found = _TAG.fullmatch(reference.partition("@")[0].rpartition(":")[2])
    return f"v{found[2]}" if found else ""
