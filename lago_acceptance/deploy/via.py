"""An upgrade over all of its stops, on the host: each stop is a deploy of its own, with its own dump, and is filled in before
the next begins. The last one is left to the checks (cli/deploy.py).

What runs, what the database holds and the file ``upgrade`` of shell/mark.part.sh say where the next call goes on.
"""

from __future__ import annotations

import logging
import time
from itertools import pairwise
from pathlib import Path, PurePosixPath

import msgspec

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.deploy import filling, plan, state
from lago_acceptance.deploy.deploy import Order, settle
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.deploy.rehearsal_checks import judged
from lago_acceptance.deploy.rollout import NotDeployed, Rollout
from lago_acceptance.deploy.session import STATE
from lago_acceptance.deploy.state import Upgrade
from lago_acceptance.deploy.steps import DEPLOY, DUMP, MARK
from lago_acceptance.deploy.version import NewVersion
from lago_acceptance.deploy.via_plan import Leg, Walk, of_release, prepare, running
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host, WriteCommand
from lago_acceptance.lago.release_table import same_schema
from lago_acceptance.lago.upgrades import Stop, stops

log = logging.getLogger(__name__)

PULL_SECONDS = 1800


def walk(
    host: Host,
    permit: Permit,
    settings: Settings,
    waivers: WaiverFile,
    order: Order,
    *,
    one: bool,
    again: str,
) -> tuple[Stop, ...] | None:
    """Walk until only the last deploy is left, one leg at most where ``one``: the stops whose work the last deploy has to do ahead,
    None where it is not next.

    ``again`` is the command that goes on. NotDeployed where a leg is refused or fails, after going back to the one before it.
    Locked where another deploy goes on.
    """
    settle(host, permit, settings.deployment.directory)
    way = prepare(host, settings, waivers, order)
    if way.refusals:
        raise NotDeployed("\n".join(["Nothing was changed:", *way.refusals]))
    legs = _with_images(host, permit, way)
    at = way.had.tag
    for leg, following in pairwise(legs):
        what = "filling in" if leg.files is None else "deploying, and filling in"
        log.info("%s: %s %s", leg.release.tag, what, leg.stop.data if leg.stop else "nothing")
        try:
            _take(host, permit, settings, order, way, leg)
        except NotDeployed as failed:
            raise NotDeployed(
                f"{failed}\nThe upgrade to {way.has.tag} is at {at}. Once the cause is removed, go on with: {again}"
            ) from failed
        except KeyboardInterrupt:
            log.info("interrupted: the upgrade to %s is at %s; go on with: %s", way.has.tag, at, again)
            raise
        at = leg.release.tag
        log.info("the upgrade to %s is at %s", way.has.tag, at)
        if one:
            log.info("next is %s; go on with: %s", following.release.tag, again)
            return None
    return legs[-1].ahead


def arrive(host: Host, permit: Permit, settings: Settings, order: Order) -> None:
    """Fill in what the release that has been deployed last needs, and end the upgrade. NotDeployed where that fails."""
    facts = observe(host, project=order.project, wanted_directory=settings.deployment.directory)
    runs = running(facts, settings)
    stop = next((each for each in stops() if each.version == same_schema(runs).numbers), None)
    if stop is None:
        mark = str(PurePosixPath(settings.deployment.directory, STATE, "upgrade"))
        host.change(WriteCommand("ending the upgrade", ("rm", "-f", mark)), permit)
        return
    with _rollout(host, permit, settings, order, facts, None, stop, _marks("", "", "", None)) as rollout:
        log.info("%s: %s", runs.tag, filling.described(rollout.fill()))
        rollout.take(MARK)
        rollout.accept()


def _with_images(host: Host, permit: Permit, way: Walk) -> tuple[Leg, ...]:
    """The legs to walk, once the host has their images, which are pulled while the old version runs.

    The work of a stop whose image can't be had is done by the next leg's image, if that can. NotDeployed where it can't: nothing has
    changed then.
    """
    refused = {image: said for image in way.missing_images if (said := _pulled(host, permit, image))}
    legs: list[Leg] = []
    ahead: tuple[Stop, ...] = ()
    for leg in way.legs:
        lacks = next((each for each in (leg.plan.missing_images if leg.plan else ()) if each in refused), "")
        later = (each for each in way.legs[way.legs.index(leg) + 1 :])
        following = next(
            (each for each in later if each.plan and not refused.keys() & set(each.plan.missing_images)), None
        )
        if not lacks:
            legs.append(msgspec.structs.replace(leg, ahead=ahead))
            ahead = ()
        elif leg.stop and following and leg.stop.done_by(following.release):
            ahead = (*ahead, leg.stop)
            log.info(
                "%s can't be pulled (%s): the image of %s does the work of %s before its own migrations, so Lago is down for "
                "longer then",
                lacks,
                refused[lacks],
                following.release.tag,
                leg.release.tag,
            )
        else:
            raise NotDeployed(
                f"{lacks} can't be pulled: {refused[lacks]}\nNothing was changed. All images of the path are needed before it begins; "
                f"copy it there with docker save and docker load, or log in to its registry on {host.name}."
            )
    return tuple(legs)


def _pulled(host: Host, permit: Permit, image: str) -> str:
    """Get an image; why it can't be had, "" if it is there."""
    log.info("pulling %s", image)
    done = host.change(
        WriteCommand("pulling an image", ("docker", "pull", "-q", image), deadline=PULL_SECONDS), permit
    )
    said = done.stopped or next(iter(reversed(done.output.strip().splitlines())), f"exit code {done.code}")
    return redact(said) if done.code else ""


def _take(host: Host, permit: Permit, settings: Settings, order: Order, way: Walk, leg: Leg) -> None:
    """One leg: deployed, judged, filled in, written down. NotDeployed, with the leg before running, where something fails."""
    directory = settings.deployment.directory
    facts = observe(host, project=order.project, wanted_directory=directory)
    planned = None
    if leg.files is not None:
        files = NewVersion(order.folder or Path(directory), leg.files)
        planned = plan.read(host, files, settings.deployment, directory, facts.project)
    runs = running(facts, settings)
    marks = _marks(way.has.tag, runs.tag, leg.release.tag, state.read(host, directory).upgrade)
    with _rollout(host, permit, settings, order, facts, planned, leg.stop, marks, leg.ahead) as rollout:
        if planned:
            rollout.run()
            if problems := _problems(host, settings, order, leg):
                rollout.undo(f"{leg.release.tag} runs, but {'; '.join(problems)}")
        else:
            rollout.take(DUMP)
        if leg.stop:
            log.info("%s: %s", leg.release.tag, filling.described(rollout.fill()))
        rollout.take(MARK)
        rollout.accept()
    if rollout.downtime is not None:
        log.info(
            "%s was deployed as %s; the API was down for %.1f s",
            leg.release.tag,
            rollout.id,
            rollout.downtime,
        )


def _rollout(
    host: Host,
    permit: Permit,
    settings: Settings,
    order: Order,
    facts: Facts,
    planned: Plan | None,
    stop: Stop | None,
    marks: dict[str, str],
    ahead: tuple[Stop, ...] = (),
) -> Rollout:
    """A deploy of ``planned``; where it is None, nothing but what comes after one."""
    deployment = settings.deployment
    steps = DEPLOY if planned else ()
    as_it_is = NewVersion(Path(deployment.directory), {})
    read = planned or plan.read(host, as_it_is, deployment, deployment.directory, facts.project)
    more = filling.settings(stop) | marks
    return Rollout(host, permit, deployment, read, facts, order.wishes, steps, more, ahead)


def _marks(target: str, had: str, at: str, before: Upgrade | None) -> dict[str, str]:
    """The variables of shell/mark.part.sh. An upgrade that is under way keeps its beginning, whatever its target is now."""
    goes_on = before is not None and had == before.at
    return {
        "walk_to": target,
        "walk_from": before.had if before and goes_on else had,
        "walk_begun": str(before.begun if before and goes_on else int(time.time())),
        "walk_first": before.first if before and goes_on else "",
        "walk_at": at,
    }


def _problems(host: Host, settings: Settings, order: Order, leg: Leg) -> list[str]:
    """What read-only checks of database, schema, key and API find at a stop."""
    facts = observe(host, project=order.project, wanted_directory=settings.deployment.directory)
    verdict = judged(facts, of_release(settings, leg.release))
    for reason in verdict.unknown:
        log.info("not judged: %s", reason)
    log.info("%s checks of database, schema, key and API were made", verdict.judged)
    return verdict.errors
