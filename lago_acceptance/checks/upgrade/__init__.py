"""Checks of what an upgrade needs from the deployment that runs: its schema, its data, its jobs, its disk. They read only."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from lago_acceptance.checks import availability, database_trouble
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.facts.upgrade import Amount, Part, UpgradeAnswers
from lago_acceptance.lago import upgrade_path, upgrades
from lago_acceptance.lago.release_table import Release, newest, releases, same_schema
from lago_acceptance.lago.schema_state import SchemaState, versions
from lago_acceptance.lago.upgrades import Constraint, Leg, Proof, Stop
from lago_acceptance.lago.versions import version_of

_SHOWN = 5
_MEANS = {
    "billing_entity_id": "a billing entity",
    "code": "a code",
    "customer_id": "a customer",
    "organization_id": "an organization",
    "slug": "a slug",
}


class Aim(msgspec.Struct, frozen=True):
    """An upgrade of a deployment: the ``state`` of its schema, the release that it has at least, and the one it is to have.

    ``legs`` is the way; () where the schema is there already.
    """

    state: SchemaState
    had: Release
    to: Release
    legs: tuple[Leg, ...]

    @property
    def next(self) -> Release:
        """The first release on the way that isn't there yet."""
        return next((leg.release for leg in self.legs if leg.release.numbers != self.had.numbers), self.to)

    @property
    def ahead(self) -> tuple[Constraint, ...]:
        """What migrations on the way validate, and can be seen before, in their order."""
        return self._ahead(self.to)

    @property
    def due(self) -> tuple[Constraint, ...]:
        """Those of them that must hold before the next release is deployed."""
        return self._ahead(self.next)

    def _ahead(self, to: Release) -> tuple[Constraint, ...]:
        return tuple(
            each
            for each in upgrades.constraints()
            if each.migration not in self.state.applied and upgrades.numbers(each.required_from) <= to.numbers
        )

    @property
    def reached(self) -> tuple[Stop, ...]:
        """The stops that the schema has passed or is at, in their order."""
        return tuple(each for each in upgrades.stops() if each.version <= self.had.numbers)


def answers(facts: Facts) -> UpgradeAnswers:
    """What PostgreSQL answered about an upgrade. Blocked where it lets nobody in, Unknown where it did not answer."""
    availability.database(facts)
    found = facts.upgrade
    never = found is not None and found.applied is None and "schema_migrations" in found.error
    if found is None or not (never or (found.complete and found.parts)):
        database_trouble.must_be_without(facts, "PostgreSQL did not list its migrations")
        said = found.error if found else ""
        raise Unknown(
            "PostgreSQL did not answer what an upgrade needs to know" + (f": {said}" if said else ""),
            why="PostgreSQL did not answer what an upgrade needs to know",
            fix="run again",
        )
    if not found.applied:
        raise Blocked("schema-not-the-images", "the database was never migrated")
    return found


def image_files(facts: Facts) -> tuple[str, ...]:
    """The migrations in the image that runs, () where no API runs that could list them."""
    return facts.process(facts.running(API)).migration_files or ()


def state_of(facts: Facts) -> SchemaState:
    """Which migrations the database and the image have."""
    return SchemaState(frozenset(answers(facts).applied or ()), versions(image_files(facts)))


def aim_of(facts: Facts, to: Release | None) -> Aim:
    """The upgrade that is asked about: to the next stop where ``to`` is None.

    UsageError where that is older than the schema. Blocked and Unknown where the schema is in no release's reach.
    """
    state = state_of(facts)
    had = state.at or state.beyond
    if had is None:
        raise Blocked("upgrade-database-too-old", "there is no known way from this schema")
    if state.latest > newest().newest_migration:
        raise Unknown(
            f"the newest migration of this database, {state.latest}, is newer than {newest().tag}, the last release known here: "
            "what later upgrades need isn't known",
            why=f"the database is newer than {newest().tag}, the last release known here",
            fix="update lago-acceptance",
        )
    stop = next((each.version for each in upgrades.stops() if each.version > had.numbers), None)
    wanted = to or (releases()[stop] if stop else newest())
    return Aim(state, had, same_schema(wanted), upgrade_path.legs(had, wanted))


def whole(facts: Facts, missing: str) -> None:
    """Blocked where the schema is between two releases."""
    if state_of(facts).half:
        raise Blocked("upgrade-half-migrated", missing)


def image_release(facts: Facts, settings: Settings) -> Release | None:
    """The release that the image is, by its migrations, else by its tag; None for a fork's, or where it isn't known."""
    files, api = image_files(facts), api_of(facts)
    tagged = releases().get(version_of(api.service, settings) or ()) if api else None
    if not files:
        return tagged
    alike = [
        each
        for each in map(same_schema, releases().values())
        if (each.newest_migration, each.migrations) == (files[-1].partition("_")[0], len(files))
    ]
    return tagged if tagged in alike else alike[-1] if alike else None


def stop_before(required_from: str) -> Stop | None:
    """The stop at which what a release validates is filled in."""
    return next((each for each in upgrades.stops() if each.required_by == required_from), None)


def api_of(facts: Facts) -> Container | None:
    """The API's container, running or not."""
    return facts.running(API) or next(iter(facts.of_role(API)), None)


def place_of(state: SchemaState) -> str:
    """The schema in words, as the end of "the database has …"."""
    if state.at:
        return f"{state.at.tag}'s schema"
    if state.beyond is None:
        return f"a schema from before {next(iter(releases().values())).tag}"
    if state.next is None:
        return f"a schema newer than {state.beyond.tag}'s"
    return f"a schema between {state.beyond.tag} and {state.next.tag}"


def lack(proof: Proof, part: Part, left: Amount) -> str:
    """How many rows of a table lack something: ``7 of 7 fees lack an organization (fees.organization_id)``."""
    total = part.total
    of = f" of {total}" if total and (total.number or left.number) else ""
    column = proof.columns[0] if proof.columns else ""
    if column and proof.undone.startswith(f"{column} IS NULL"):
        return f"{left}{of} {proof.table} lack {_MEANS.get(column, column)} ({proof.table}.{column})"
    return f"{left}{of} {proof.table} are left ({proof.undone})"


def is_open(found: UpgradeAnswers, constraint: Constraint) -> bool:
    """Whether rows are known to violate a constraint."""
    left = found.part(constraint.proof).left if constraint.undone else None
    return left is not None and left.number > 0


def lacks(found: UpgradeAnswers, asked: Iterable[Constraint | Proof]) -> list[str]:
    """For each of some constraints or proofs that rows violate, how many, in words."""
    proofs = [
        each if isinstance(each, Proof) else each.proof
        for each in asked
        if not isinstance(each, Constraint) or each.undone
    ]
    parts = [(each, found.part(each)) for each in proofs]
    return [lack(each, part, part.left) for each, part in parts if part.left and part.left.number]


def listed(texts: Iterable[str]) -> str:
    """The first of some texts, and how many more there are."""
    found = list(texts)
    return "; ".join(found[:_SHOWN]) + (f"; and {len(found) - _SHOWN} more" if found[_SHOWN:] else "")


def command(facts: Facts, stop: Stop) -> str:
    """What to type for a stop's tasks: the first, and how many follow."""
    name = container.name if (container := api_of(facts)) else "lago-api"
    first, *others = stop.task
    typed = first.command if first.command.startswith("bundle exec") else f'sh -c "{first.command}"'
    more = f", then its {len(others)} other tasks" if others else ""
    each = " once for each organization" if first.each else ""
    return f"docker exec {name} {typed}{each}{more} (docs/upgrades.md, {stop.tag})"
