"""What an upgrade over its stops would do to a host, looked at from all sides before anything is changed (via.py walks it)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from lago_acceptance.checks import schema
from lago_acceptance.composefile.release_edits import moved
from lago_acceptance.core.findings import grouped
from lago_acceptance.core.moments import minute
from lago_acceptance.core.roles import API, DB, LAGO_RUBY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import service_url
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.deploy import judgement, plan, preconditions, state, version
from lago_acceptance.deploy.deploy import Order
from lago_acceptance.deploy.plan import OldFile, Plan
from lago_acceptance.deploy.rollout_variables import KEPT_BACKUPS
from lago_acceptance.deploy.session import STATE, part
from lago_acceptance.deploy.state import HostState
from lago_acceptance.deploy.version import NewVersion
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.lago.release_table import Release, same_schema
from lago_acceptance.lago.releases import release_of
from lago_acceptance.lago.upgrade_path import legs
from lago_acceptance.lago.upgrades import Stop
from lago_acceptance.model.deployment import Service

# Each leg is judged by itself: it is no jump.
ACCEPTED_BY_WALKING = frozenset({"upgrade-skips-a-stop"})
MIB = 2**20
_ROOM = """
printf 'SELECT pg_database_size(current_database());' | psql_in "$container" "$database"
free_bytes "$directory"
"""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the upgrade. ``files``: those to deploy, None where its release runs already and only has to be filled in.

    ``plan`` compares them with the files of the leg before. ``ahead`` are stops whose images can't be had, and whose work this
    leg's image does before its own migrations. ``refusals`` are sentences.
    """

    release: Release
    stop: Stop | None
    files: dict[str, bytes] | None = None
    plan: Plan | None = None
    ahead: tuple[Stop, ...] = ()
    refusals: tuple[str, ...] = ()


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """An upgrade that has been looked at from all sides, and has changed nothing yet.

    ``legs`` are those that are left; the last one is deployed by the run whose checks decide whether it stays.
    """

    had: Release
    has: Release
    legs: tuple[Leg, ...]
    state: HostState
    facts: Facts
    refusals: tuple[str, ...]

    @property
    def missing_images(self) -> tuple[str, ...]:
        """Images that the host does not have yet, in the order in which they are needed."""
        found = (image for leg in self.legs if leg.plan for image in leg.plan.missing_images)
        return tuple(dict.fromkeys(found))

    def lines(self) -> Iterator[str]:
        """What would be done, for a reader."""
        yield from _described(self)


def prepare(host: Host, settings: Settings, waivers: WaiverFile, order: Order) -> Walk:
    """Look at the host and at the files of each leg. UsageError or Unreachable where one can't be used."""
    deployment = settings.deployment
    given = version.of_folder(order.folder, deployment)
    facts = observe(host, project=order.project, wanted_directory=deployment.directory)
    arriving = plan.read(host, given, deployment, deployment.directory, facts.project)
    had, has = running(facts, settings), _declared(arriving, settings)
    past = state.read(host, deployment.directory)
    found = tuple(_legs(host, settings, had, has, past, facts, arriving, given))
    refusals = [*_half_migrated(facts, settings, had), *_room(host, found, past, facts, deployment.directory)]
    found = tuple(_judged(found, settings, waivers, order, past, facts))
    refusals += [each for leg in found for each in leg.refusals]
    return Walk(had=had, has=has, legs=found, state=past, facts=facts, refusals=tuple(refusals))


def running(facts: Facts, settings: Settings) -> Release:
    """The release that runs. UsageError where none does, or its image names none."""
    api = facts.running(API)
    if api is None:
        raise UsageError(
            "no container of Lago's API is running, so it is not known which release an upgrade begins with: start it first"
        )
    return _release(api.service, settings, "running")


def _declared(planned: Plan, settings: Settings) -> Release:
    api = next(iter(planned.model.of_role(API)), None)
    if api is None:
        raise UsageError(f"the files to deploy have no service that is Lago's API: {planned.directory}")
    return _release(api, settings, "new")


def _release(service: Service, settings: Settings, which: str) -> Release:
    found = release_of(service, settings)
    if found is None:
        raise UsageError(
            f"the {which} image of {service.name}, {service.image}, names no release of Lago, so its stops are not known: give it a "
            "tag such as v1.25.0 (docker tag)"
        )
    return found


def _legs(
    host: Host,
    settings: Settings,
    had: Release,
    has: Release,
    past: HostState,
    facts: Facts,
    arriving: Plan,
    given: NewVersion,
) -> Iterator[Leg]:
    """All legs that are left; the last one is that of the files as they are."""
    deployment = settings.deployment
    way = legs(had, has)
    before = {path: file.content for path, file in arriving.old.items() if file.content}
    for leg in way[:-1]:
        if leg.release.numbers == same_schema(had).numbers:
            if past.upgrade is None or past.upgrade.at != had.tag:
                yield Leg(release=had, stop=leg.stop)
            continue
        changed = given.files | moved(
            given.files, deployment.compose_file, deployment.env_file, has, leg.release
        )
        read = plan.read(
            host, NewVersion(given.folder, changed), deployment, arriving.directory, facts.project
        )
        yield Leg(release=leg.release, stop=leg.stop, files=changed, plan=_over(read, before))
        before |= changed
    stop = way[-1].stop if way else None
    yield Leg(release=has, stop=stop, files=given.files, plan=_over(arriving, before))


def _over(read: Plan, before: Mapping[str, bytes]) -> Plan:
    """A plan that is compared with the files of the leg before, which are not on the host yet."""
    changed = {
        path: OldFile("600", hashlib.sha256(content).hexdigest(), content)
        for path, content in before.items()
        if path not in read.old or read.old[path].content != content
    }
    return msgspec.structs.replace(read, old=read.old | changed)


def _judged(
    found: Sequence[Leg], settings: Settings, waivers: WaiverFile, order: Order, past: HostState, facts: Facts
) -> Iterator[Leg]:
    """The legs, each with what prevents it."""
    accepted = order.wishes.despite | ACCEPTED_BY_WALKING
    first = True
    for leg in found:
        if leg.plan is None:
            yield leg
            continue
        refusals = [f"the files would run {each}" for each in _other_releases(leg, settings)]
        # What is true of the host is true of each leg.
        if first:
            refusals += preconditions.problems(
                leg.plan, past, facts, settings.deployment, settings.limits, order.overwrite
            )
        first = False
        folder = order.folder or leg.plan.directory
        for finding in grouped(
            judgement.errors(
                leg.plan, Path(folder), settings.deployment, order.settings_file, waivers, accepted
            )
        ):
            refusals.append(
                f"the gate refuses the new files: {finding} (--despite {finding.id} deploys them anyway)"
            )
        yield msgspec.structs.replace(leg, refusals=tuple(f"{leg.release.tag}: {each}" for each in refusals))


def _other_releases(leg: Leg, settings: Settings) -> Iterator[str]:
    assert leg.plan is not None
    for service in leg.plan.model.services:
        if service.role in LAGO_RUBY and release_of(service, settings) not in (leg.release, None):
            yield (
                f"{service.image} as {service.name} there; name all of Lago's images by the tag of their release, so that the "
                "compose file can be moved along the path"
            )


def _half_migrated(facts: Facts, settings: Settings, had: Release) -> Iterator[str]:
    if schema.is_not_the_images(facts, of_release(settings, had)):
        has = facts.database.migrations if facts.database else None
        yield (
            f"the database does not have the schema of {had.tag}, which runs: it has {has.count if has else 'no'} migrations"
            f"{f' up to {has.latest}' if has else ''}. An upgrade can't begin there; go back to the last backup with "
            "lago-acceptance rollback, or read docs/upgrading.md on half-migrated databases"
        )


def of_release(settings: Settings, release: Release) -> Settings:
    """Settings that name another release than the one to arrive at."""
    deployment = msgspec.structs.replace(settings.deployment, version=release.tag)
    return msgspec.structs.replace(settings, deployment=deployment)


def _room(host: Host, found: Sequence[Leg], past: HostState, facts: Facts, directory: str) -> Iterator[str]:
    """Whether there is space for the dumps of all legs: the first deploy's is kept until the end, of later ones the newest."""
    database, api = facts.running(DB), facts.running(API)
    url = service_url(api.service.value("DATABASE_URL")) if api else None
    if database is None or url is None:
        yield "no container of this project is Lago's database: each stop dumps it, so the upgrade can't be walked from here"
        return
    asked = {"container": database.id, "database": url.database, "directory": directory}
    lines = host.read(ReadCommand("size of the database", part("host") + _ROOM, asked)).split()
    if len(lines) != 2:
        yield "the size of the database can't be read: docker logs of its container says why"
        return
    size, free = map(int, lines)
    dumps = min(sum(leg.plan is not None for leg in found), KEPT_BACKUPS + 1)
    known = next((each.dump for each in reversed(past.deploys) if each.dump), None)
    # Whether one more fits is asked before each; a dump is smaller than its database.
    need = size + (dumps - 1) * min(known or size, size)
    if need > free:
        yield (
            f"{dumps} dumps may need {need // MIB} MiB, and {free // MIB} MiB are free for {directory}/{STATE}: free some space (docker "
            "image prune), move old backups away, or walk one stop at a time (--via next)"
        )


# --- showing ---


def _described(way: Walk) -> Iterator[str]:
    if way.state.holder:
        yield f"being changed now by {way.state.holder}"
    if cut := way.state.unsettled:
        yield f"deploy {cut.id} was cut off in the step {cut.begun[-1]}; the next deploy undoes it first"
    if under_way := way.state.upgrade:
        yield f"an upgrade to {under_way.target} is at {under_way.at} since {minute(under_way.since)}"
    yield f"from {way.had.tag} to {way.has.tag}: {' → '.join(leg.release.tag for leg in way.legs)}"
    for number, leg in enumerate(way.legs, 1):
        yield ""
        yield f"{number}. {leg.release.tag}: {'runs already' if leg.files is None else 'deploy'}"
        if leg.plan:
            yield from (f"   {line}" for line in leg.plan.diff())
            yield from (f"   image {image}: to be pulled" for image in leg.plan.missing_images)
            yield f"   downtime: {_downtime(way.state)}"
        if leg.stop:
            yield f"   then, while its worker runs: {leg.stop.data}"
            yield from (
                f"   {'for each organization: ' if each.each else ''}{each.command}" for each in leg.stop.task
            )
    yield from (f"refused: {each}" for each in way.refusals)


def _downtime(past: HostState) -> str:
    last = past.last_downtime
    known = "" if last is None else f"about {last:.0f} s, as last time, and "
    return (
        f"{known}the time of the migrations of this leg"
        if known
        else "one dump, the migrations and one start"
    )
