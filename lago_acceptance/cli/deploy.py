"""``lago-acceptance deploy``, ``status`` and ``rollback``: what changes a deployment on its host, and what shows it."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from lago_acceptance.cli import on_host, path
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import COMPOSE
from lago_acceptance.core.settings import load
from lago_acceptance.core.verdicts import UsageError

if TYPE_CHECKING:
    from lago_acceptance.core.waivers import WaiverFile
    from lago_acceptance.deploy.deploy import Order
    from lago_acceptance.deploy.state import PastDeploy, Upgrade

# What decides whether a deploy stays: phases 1 to 3, and the read-only core of the others.
DECIDING = "(phase1 or phase2 or phase3 or smoke) and not writes and not browser"


class Asked(NamedTuple):
    """What was asked for: the options, and those that are pytest's."""

    known: Namespace
    more: list[str]

    @property
    def arguments(self) -> list[str]:
        """The arguments of the run that deploys and then checks."""
        known = self.known
        options = ["--target", "live", "--hosts", known.host]
        if known.settings:
            options += ["--settings", str(known.settings)]
        options += ["-m", DECIDING, "--deploy", str(known.folder or "")]
        options += ["--overwrite"] if known.overwrite else []
        options += [word for id in _despite(known) for word in ("--despite", id)]
        for option, value in (
            ("--ssh-config", known.ssh_config),
            ("--project", known.project),
            ("--waivers", known.waivers),
            ("--drain-seconds", known.drain_seconds),
        ):
            options += [option, str(value)] if value else []
        return [*options, *self.more]


def run(given: list[str], checked: Callable[[list[str]], int]) -> int:
    """Deploy, over all stops of an upgrade where that is asked for; the exit code. ``checked`` runs the last deploy and its checks."""
    known, more = _parser().parse_known_args(given)
    asked = Asked(known, more)
    if known.plan or known.via:
        _need_files(known)
    if known.plan:
        _print_plan(known)
        return ACCEPTED
    if known.host == on_host.LOCAL:
        raise UsageError(
            "deploy reaches the host by ssh, because its checks also run from outside: give ssh://root@HOST (--plan takes local too)"
        )
    return _walked(asked, checked) if known.via else checked(asked.arguments)


def _need_files(known: Namespace) -> None:
    """UsageError where the files to deploy can't be read: that is seen before a host is asked for."""
    from lago_acceptance.deploy import placed, version

    version.of_folder(known.folder, placed.of_folder(known.settings, known.folder or COMPOSE).deployment)


def _walked(asked: Asked, checked: Callable[[list[str]], int]) -> int:
    """Walk the stops, then let the checks decide on the last deploy, and end the upgrade; the exit code."""
    from lago_acceptance.deploy import placed, via
    from lago_acceptance.deploy.rollout import NotDeployed

    known = asked.known
    order = _order(known)
    again = f"lago-acceptance deploy {known.host}{f' {known.folder}' if known.folder else ''} --via{' next' * (known.via == 'next')}"
    permit = Permit("deploy --via")
    try:
        with on_host.reached(known.host, known.ssh_config) as host, _progress():
            settings = placed.placed(host, known.settings, known.project, known.folder or COMPOSE)
            ahead = via.walk(
                host, permit, settings, _waivers(known), order, one=known.via == "next", again=again
            )
        if ahead is None:
            return ACCEPTED
        if code := checked(
            [*asked.arguments, *(word for each in ahead for word in ("--with-stop", each.tag))]
        ):
            return code
        with on_host.reached(known.host, known.ssh_config) as host, _progress():
            via.arrive(host, permit, settings, order)
    except NotDeployed as failed:
        print(failed, file=sys.stderr)
        return NOT_ACCEPTED
    return ACCEPTED


def _parser() -> argparse.ArgumentParser:
    parser = on_host.parser(
        "deploy", "Deploys a folder to a host, checks it, and rolls back if a check is red."
    )
    add = parser.add_argument
    add(
        "folder",
        nargs="?",
        type=path,
        metavar="DIR",
        help="the folder to deploy (default: the shipped files)",
    )
    add("--plan", action="store_true", help="print what would change, and change nothing")
    add(
        "--via",
        nargs="?",
        const="all",
        choices=("all", "next"),
        help="walk an upgrade over all of its stops, or to the next one alone; after DIR",
    )
    add(
        "--despite",
        action="append",
        default=[],
        metavar="ID",
        help="deploy although the gate reports this error",
    )
    add(
        "--overwrite",
        action="store_true",
        help="replace files that were changed on the host since the last deploy",
    )
    add(
        "--drain-seconds",
        metavar="SECONDS",
        help="how long the workers may take to finish their jobs (default: 300)",
    )
    add(
        "--waivers",
        type=path,
        metavar="FILE",
        help="known failures (default: waivers.toml beside the settings)",
    )
    return parser


def status(given: list[str]) -> int:
    """Print what earlier deploys have left on a host. 1 where one was cut off, and has still to be undone."""
    known = on_host.parser(
        "status", "Shows who is changing a deployment, how its deploys ended, and its backups."
    ).parse_args(given)
    from lago_acceptance.deploy import placed, state

    load(known.settings)
    with on_host.reached(known.host, known.ssh_config) as host:
        found_at = placed.placed(host, known.settings, known.project, needed=("directory",))
        directory = found_at.deployment.directory
        found = state.read(host, directory)
    if found.holder:
        print(f"being changed now by {found.holder}")
    for each in found.deploys:
        print(_described(each))
    if found.upgrade:
        print(_under_way(found.upgrade, known.host))
    if not found.deploys:
        print(f"nothing has been deployed to {directory} on {known.host} yet")
    if (cut := found.unsettled) and not found.holder:
        print(
            f"deploy {cut.id} was cut off in the step {cut.begun[-1]}, so the previous version may not be running: undo it with "
            f"lago-acceptance rollback {known.host}, or deploy again, which undoes it first"
        )
        return NOT_ACCEPTED
    return ACCEPTED


def _under_way(upgrade: Upgrade, host: str) -> str:
    from lago_acceptance.lago.upgrade_path import legs, named

    had, has = named(upgrade.at), named(upgrade.target)
    left = [each.tag for each in legs(had, has) if each.release != had]
    begun, since = (
        time.strftime("%Y-%m-%d %H:%M", time.gmtime(each)) for each in (upgrade.begun, upgrade.since)
    )
    return (
        f"upgrade from {upgrade.had} to {upgrade.target}, begun {begun} UTC: at {upgrade.at} since {since} UTC, next {left[0]}: "
        f"lago-acceptance deploy {host} DIR --via next"
    )


def _described(deploy: PastDeploy) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(deploy.events[0].at)) if deploy.events else "unknown"
    dump = f", dump of {deploy.dump / 2**20:.1f} MiB" if deploy.dump else ""
    backup = ", backup kept" if deploy.has_backup else ""
    return f"{deploy.id}  {at} UTC  {deploy.ended}{backup}{dump}"


def rollback(given: list[str]) -> int:
    """Go back to what ran before; the exit code."""
    parser = on_host.parser(
        "rollback", "Returns to what ran before the last deploy, or undoes a deploy that was cut off."
    )
    parser.add_argument(
        "--to", default="", metavar="ID", help="the backup to return to (lago-acceptance status lists them)"
    )
    parser.add_argument(
        "--down-volumes",
        default="",
        metavar="NAME",
        help="dump the database, then remove the containers and volumes of the Compose project NAME",
    )
    known = parser.parse_args(given)
    from lago_acceptance.deploy import placed
    from lago_acceptance.deploy import rollback as going_back
    from lago_acceptance.deploy.rollout import NotDeployed

    load(known.settings)
    with on_host.reached(known.host, known.ssh_config) as host, _progress():
        settings = placed.placed(host, known.settings, known.project)
        try:
            if known.down_volumes:
                permit = Permit("--down-volumes")
                done = going_back.take_down(
                    host, permit, settings, named=known.down_volumes, project=known.project
                )
            else:
                done = going_back.rollback(
                    host, Permit("rollback"), settings, to=known.to, project=known.project
                )
        except NotDeployed as failed:
            print(failed, file=sys.stderr)
            return NOT_ACCEPTED
    print(done)
    return ACCEPTED


def _print_plan(known: Namespace) -> None:
    from lago_acceptance.deploy import deploy, placed, via_plan

    look = via_plan.prepare if known.via else deploy.prepare
    with on_host.reached(known.host, known.ssh_config) as host:
        settings = placed.placed(host, known.settings, known.project, known.folder or COMPOSE)
        prepared = look(host, settings, _waivers(known), _order(known))
    for line in prepared.lines():
        print(line)


def _order(known: Namespace) -> Order:
    from lago_acceptance.deploy.deploy import Order
    from lago_acceptance.deploy.wishes import DRAIN_SECONDS, Wishes

    return Order(
        folder=known.folder,
        settings_file=known.settings,
        project=known.project,
        overwrite=known.overwrite,
        wishes=Wishes(
            despite=frozenset(known.despite), drain_seconds=_drain(known.drain_seconds) or DRAIN_SECONDS
        ),
    )


def _drain(text: str | None) -> int | None:
    from lago_acceptance.deploy.steps import drain_seconds

    try:
        return None if text is None else drain_seconds(text)
    except ValueError as error:
        raise UsageError(f"--drain-seconds {text}: {error}") from error


def _waivers(known: Namespace) -> WaiverFile:
    from lago_acceptance.core import waivers

    return waivers.for_run(known.waivers, known.settings)


def _despite(known: Namespace) -> list[str]:
    """What is accepted. The last leg is no jump, whatever the gate's rules about jumps say."""
    if not known.via:
        return list(known.despite)
    from lago_acceptance.deploy.via_plan import ACCEPTED_BY_WALKING

    return [*known.despite, *ACCEPTED_BY_WALKING]


@contextmanager
def _progress() -> Iterator[None]:
    """Print what the library logs, without secrets."""
    from lago_acceptance.core.printable import one_line
    from lago_acceptance.core.secrets import redact

    class Printed(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print(f"  {one_line(redact(record.getMessage()))}", flush=True)

    log, handler = logging.getLogger("lago_acceptance"), Printed()
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
