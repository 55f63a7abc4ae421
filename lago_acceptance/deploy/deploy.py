"""A deploy from an operator's folder to a host, up to the moment when checks decide whether it stays."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.findings import grouped
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.deploy import (
    judgement,
    plan,
    preconditions,
    schema_change,
    session,
    state,
    version,
)
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.deploy.rollout import NotDeployed, Rollout
from lago_acceptance.deploy.state import HostState
from lago_acceptance.deploy.steps import DEPLOY, QUICK_DEPLOY, Step
from lago_acceptance.deploy.wishes import Wishes
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host
from lago_acceptance.lago.schema_position import rows_for
from lago_acceptance.lago.upgrades import Stop

log = logging.getLogger(__name__)


class Order(msgspec.Struct, frozen=True):
    """What to deploy and how. ``folder``: None for the shipped files.

    ``overwrite``: replace files that were changed on the host since the last deploy. ``ahead``: stops of an upgrade whose work the
    new version's image does before its own migrations.
    """

    folder: Path | None
    settings_file: Path | None
    project: str = ""
    overwrite: bool = False
    ahead: tuple[Stop, ...] = ()
    wishes: Wishes = Wishes()


class Prepared(msgspec.Struct, frozen=True):
    """A deploy that has been looked at from all sides, and has changed nothing yet."""

    plan: Plan
    state: HostState
    facts: Facts
    steps: tuple[Step, ...]
    refusals: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """What would change, for a reader."""
        yield from _described(self)


def prepare(host: Host, settings: Settings, waivers: WaiverFile, order: Order) -> Prepared:
    """Look at the host and the new files. UsageError or Unreachable where one can't be used."""
    for id in sorted(order.wishes.despite):
        if registry.find(id) is None:
            raise UsageError(f"--despite {id}: {registry.unknown(id)}")
    deployment = settings.deployment
    new = version.of_folder(order.folder, deployment)
    facts = observe(host, project=order.project, wanted_directory=deployment.directory)
    planned = plan.read(host, new, deployment, deployment.directory, facts.project)
    past = state.read(host, deployment.directory)
    refusals = preconditions.problems(planned, past, facts, deployment, settings.limits, order.overwrite)
    found = judgement.errors(
        planned, new.folder, deployment, order.settings_file, waivers, order.wishes.despite
    )
    refusals += schema_change.unseen(planned, facts)
    seen = {finding.id for finding in found}
    refusals += [
        f"the database refuses the new image: {finding} (--despite {finding.id} deploys it anyway)"
        for finding in schema_change.errors(planned, facts, settings, order.wishes.despite)
        if finding.id not in seen
    ]
    refusals += [
        f"the gate refuses the new files: {finding} (--despite {finding.id} deploys them anyway)"
        for finding in grouped(found)
    ]
    return Prepared(planned, past, facts, _steps(planned), tuple(refusals))


def start(
    host: Host, permit: Permit, settings: Settings, waivers: WaiverFile, order: Order
) -> Rollout | None:
    """Deploy, and return what can still be undone; None where nothing had to change.

    NotDeployed where it is refused, or was undone because a step failed. Locked where another deploy goes on.
    """
    settle(host, permit, settings.deployment.directory)
    prepared = prepare(host, settings, waivers, order)
    if prepared.refusals:
        raise NotDeployed("\n".join(["Nothing was changed:", *prepared.refusals]))
    if prepared.plan.nothing:
        log.info("the host is already up to date: nothing was changed")
        return None
    rollout = Rollout(
        host,
        permit,
        settings.deployment,
        prepared.plan,
        prepared.facts,
        order.wishes,
        prepared.steps,
        ahead=order.ahead,
    )
    try:
        rollout.run()
    except BaseException:
        rollout.close()
        raise
    return rollout


def settle(host: Host, permit: Permit, directory: str) -> None:
    """Undo a deploy that was cut off, if there is one. NotDeployed where that fails, Locked where another deploy goes on."""
    past = state.read(host, directory)
    if past.holder:
        raise session.Locked(
            f"{directory} on {host.name} is being changed by {past.holder}; wait until that has ended"
        )
    if cut := past.unsettled:
        log.info(
            "deploy %s was cut off in the step %s: rolling back to the previous version",
            cut.id,
            cut.begun[-1],
        )
        done = session.settle(host, permit, directory, cut.id)
        if done.code:
            raise NotDeployed(
                f"The deploy {cut.id} was cut off, and could not be undone: {' '.join(done.lines)}\nNothing else was changed."
            )


def _steps(planned: Plan) -> tuple[Step, ...]:
    return DEPLOY if planned.containers and preconditions.interrupts(planned) else QUICK_DEPLOY


def _described(prepared: Prepared) -> Iterator[str]:
    planned = prepared.plan
    if prepared.state.holder:
        yield f"being changed now by {prepared.state.holder}"
    if cut := prepared.state.unsettled:
        yield f"deploy {cut.id} was cut off in the step {cut.begun[-1]}; the next deploy undoes it first"
    if planned.nothing:
        yield "nothing would change"
    yield from planned.diff()
    for path in planned.open_files:
        yield f"{path} holds secrets that other users can read (mode {planned.old[path].mode}); its mode would become 600"
    old = {each.service: each for each in planned.containers}
    for service in planned.model.services:
        if service.name in planned.recreated:
            was, id = old.get(service.name), planned.images.get(service.image, "")
            now = f"{service.image} ({_short(id)})" if id else f"{service.image} (to be pulled)"
            changed = was and (was.reference, was.image) != (service.image, id)
            yield (
                f"{service.name}: recreated, {was.reference} ({_short(was.image)}) → {now}"
                if was and changed
                else f"{service.name}: {'recreated' if was else 'new'}, {now}"
            )
    for name in planned.stopped:
        yield f"{name}: started, it is not running now"
    for name in planned.gone:
        yield f"{name}: no longer in the files; its container is left as it is"
    for name in planned.new_volumes:
        yield f"volume {name}: new, and empty"
    yield from _schema(prepared)
    yield from _downtime(prepared)
    yield from (f"refused: {each}" for each in prepared.refusals)


def _schema(prepared: Prepared) -> Iterator[str]:
    from lago_acceptance.core.roles import API

    planned, facts = prepared.plan, prepared.facts
    api = facts.running(API)
    new = next(iter(planned.model.of_role(API)), None)
    applied = facts.database.migrations if facts.database else None
    same = bool(api and new and planned.images.get(new.image) == api.image_id)
    inside = facts.process(api)
    if applied is None or applied.count is None:
        yield "migrations: not known, because the database could not be asked"
    elif same and inside.migration_count is not None:
        first = next(iter(inside.migrations), "")
        pending = max(rows_for(inside.migration_count, first) - applied.count, 0)
        yield f"migrations: {pending or 'none'} pending"
    else:
        yield f"migrations: {applied.count} applied; how many the new image adds is known only once it runs"


def _downtime(prepared: Prepared) -> Iterator[str]:
    planned = prepared.plan
    if planned.nothing or not planned.containers:
        return
    if prepared.steps == QUICK_DEPLOY:
        yield "downtime: none; nothing that answers requests or stores data is recreated"
        return
    last = prepared.state.last_downtime
    yield (
        f"downtime: about {last:.0f} s, as last time"
        if last is not None
        else "downtime: the time for one dump and one start of Lago's API; this deploy measures it"
    )


def _short(id: str) -> str:
    return id.removeprefix("sha256:")[:12]
