"""Checks of the schema before an upgrade: it is a release's, the image's own, and has nothing of others in the way."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks.upgrade import (
    answers,
    api_of,
    command,
    image_files,
    image_release,
    lacks,
    listed,
    place_of,
    state_of,
    stop_before,
)
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import since
from lago_acceptance.core.registry import Vantage
from lago_acceptance.core.roles import API, DB, MIGRATE
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago import upgrades
from lago_acceptance.lago.release_table import Release, newest, releases
from lago_acceptance.lago.schema_state import SchemaState, file_of, order
from lago_acceptance.lago.upgrades import FOLDED_FROM, FOLDED_IN, HALF_MIGRATED, Stop

_CANCELED = "this and all later migrations canceled"
_BACK = "or go back: restore the dump from before the upgrade (lago-acceptance rollback HOST, docs/runbooks/restore.md)"


@registry.check(
    phase=8,
    vantage=(Vantage.LIVE,),
    errors={
        "upgrade-half-migrated": "The migrations of the last upgrade ran to their end.",
        "upgrade-image-older-than-schema": "The image that runs is not older than the database's schema.",
        "upgrade-image-newer-than-schema": "The image that runs is not newer than the database's schema.",
        "upgrade-database-too-old": "The database's schema is that of v1.0.0 or later.",
        "upgrade-foreign-migrations": "The database has no migrations of a fork or of another branch.",
    },
    warnings={"upgrade-unknown-release": "The image's migrations are those of a release of Lago."},
)
def is_a_releases(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The migrations that the database has applied are exactly those of the image that runs.

    They are compared as sets, not by their number and the newest. Where they differ, /health, reads and events are answered
    with 200 all the same, while customers and subscriptions can't be created and nothing is billed.
    """
    state, image = state_of(facts), image_release(facts, settings)
    if state.beyond is None:
        yield Finding(
            id="upgrade-database-too-old",
            role=DB,
            problem=f"the newest migration of this database, {state.latest}, is from before {next(iter(releases().values())).tag}",
            impact="what an upgrade from there needs isn't known here",
            fix="take it to v1.0.0 first, by upstream's guides for the releases before",
        )
    elif state.half:
        yield _half(facts, state, image)
    elif image and state.at and order(image) < order(state.at) and (state.extra or not state.image):
        yield _older_image(facts, state, image)
    elif image and state.at and order(image) > order(state.at) and not state.image:
        yield _newer_image(facts, state, image)
    elif state.foreign and not state.newer:
        yield Finding(
            id="upgrade-foreign-migrations",
            role=DB,
            problem=f"{len(state.foreign)} applied migrations are not among the image's: {listed(state.foreign)}",
            impact="a fork or another branch has changed this schema: Lago's own migrations may fail on what it made",
            fix="find out which image applied them, and compare the schema with that of Lago's release before you upgrade",
        )
    elif state.newer:
        yield _older_image(facts, state, image)
    elif state.pending:
        yield _newer_image(facts, state, image)
    elif image_files(facts) and image is None and state.latest <= newest().newest_migration:
        yield Finding(
            id="upgrade-unknown-release",
            role=API,
            problem=f"{_image(facts, image)} has {len(state.image)} migrations up to {max(state.image)}, which is no release of "
            "Lago: a fork's image, or one that was built between two releases",
            impact=f"its upgrade is judged as one from {state.beyond.tag}, whose migrations it has all",
            fix="compare its migrations with those of Lago's releases (docs/upgrades.md) before you upgrade",
        )
    if not state.image and image is None:
        raise Unknown(
            f"whether the image has the migrations of this schema ({place_of(state)}): no API runs that could list them",
            why="no API runs that could list the image's migrations",
            fix="start the API, and run again",
        )


def _image(facts: Facts, image: Release | None) -> str:
    if image:
        return f"the image ({image.tag})"
    api = api_of(facts)
    return f"the image {api.service.image}" if api and api.service.image else "the image"


def _half(facts: Facts, state: SchemaState, image: Release | None) -> Finding:
    files, validated = image_files(facts), _validated_next(state)
    open_ = lacks(answers(facts), validated)
    if state.pending:
        which = (
            f"{len(state.pending)} of the image's {len(files)} migrations have not run, the first that has not is "
            f"{file_of(state.pending[0], files)}"
        )
    elif validated:
        which = f"the next one that validates data is {validated[0].migration}"
    else:
        which = "which one failed isn't known"
    older = image and state.beyond and not state.pending and order(image) < order(state.beyond)
    target = state.next.tag if state.next else "the newer release"
    stop = stop_before(target)
    return Finding(
        id="upgrade-half-migrated",
        role=DB,
        problem=f"the database has {place_of(state)}: migrations ended half-way{_since(facts)}; {which}"
        + (f", and {listed(open_)}" if open_ else "")
        + (f"; and the image that runs is older ({image.tag})" if image and older else ""),
        impact=f"whichever image runs: {HALF_MIGRATED}",
        fix=f"go forward with the image of {target}: {_forward(facts, stop, bool(open_))}; {_BACK}",
    )


def _forward(facts: Facts, stop: Stop | None, filled: bool) -> str:
    name = api.name if (api := api_of(facts)) else "lago-api"
    migrate = f"docker exec {name} bundle exec rails db:migrate"
    if stop and filled:
        return f"{command(facts, stop)} while its worker runs, and when no row is left {migrate}"
    return f"{migrate}, and do what its first error says"


def _validated_next(state: SchemaState) -> list[upgrades.Constraint]:
    """What the release whose migrations have begun validates, without what has been validated already."""
    target = state.next.tag if state.next else ""
    return [
        each
        for each in upgrades.constraints()
        if each.required_from == target and each.migration not in state.applied
    ]


def _since(facts: Facts) -> str:
    """Since when, by the log of the migration or of the API, as the end of a clause; "" where neither says."""
    seen = (facts.last_at(each, _CANCELED) for each in (*facts.of_role(MIGRATE), *facts.of_role(API)))
    at = max((each for each in seen if each is not None), default=None)
    return f", {since(at, facts.host_clock)}" if at is not None else ""


def _older_image(facts: Facts, state: SchemaState, image: Release | None) -> Finding:
    return Finding(
        id="upgrade-image-older-than-schema",
        role=API,
        problem=f"{_image(facts, image)} is older than the database, which has {place_of(state)}"
        + (f": {len(state.extra)} migrations are not the image's" if state.extra else ""),
        impact=f"{HALF_MIGRATED}; jobs of the newer release die in the older worker",
        fix=f"deploy {state.at.tag if state.at else 'the newer release'} again, {_BACK}",
    )


def _newer_image(facts: Facts, state: SchemaState, image: Release | None) -> Finding:
    had = state.at or state.beyond
    fatal = upgrades.fatal(had.numbers, image.numbers) if had and image else ()
    due = upgrades.due_before(had.numbers, image.numbers) if had and image else None
    folded = bool(image and had and image.numbers >= FOLDED_IN and had.numbers < FOLDED_FROM)
    stops = [each.tag for each in (*([due] if due else []), *fatal)]
    old = had.tag if had else "the old release"
    if stops or folded:
        why = (
            f"the way leads over {', '.join(dict.fromkeys(stops))}"
            if stops
            else "the way leads over a release in between"
        )
        refused = "; its folded migration refuses a database that is older than v1.19.1" if folded else ""
        fix = (
            f"don't migrate: {why}{refused}. Deploy {old} again, and go by lago-acceptance upgrade-path "
            f"{old} {image.tag if image else ''}"
        )
    else:
        name = api.name if (api := api_of(facts)) else "lago-api"
        fix = f"docker exec {name} bundle exec rails db:migrate, or deploy {old} again"
    return Finding(
        id="upgrade-image-newer-than-schema",
        role=API,
        problem=f"{_image(facts, image)} is newer than the database, which has {place_of(state)}"
        + (
            f": {len(state.pending)} of its migrations have not run, the first is "
            f"{file_of(state.pending[0], image_files(facts))}"
            if state.pending
            else ""
        ),
        impact="/health stays green, and requests and jobs that touch what is missing end with 500 or die",
        fix=fix,
    )
