"""``--deploy``: the run deploys first, and its checks decide whether the new version stays."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lago_acceptance.core import interrupts, registry
from lago_acceptance.core.exit_codes import UNREACHABLE
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy.steps import drain_seconds
from lago_acceptance.lago.upgrade_path import stop_at
from lago_acceptance.plugin.options import OPTIONS
from lago_acceptance.plugin.outcomes import ENDING
from lago_acceptance.plugin.reporting import note
from lago_acceptance.plugin.selection import asks_for_gate
from lago_acceptance.plugin.waivers import WAIVERS

if TYPE_CHECKING:
    from lago_acceptance.deploy.rollout import Rollout
    from lago_acceptance.hosts.ssh import SshHost


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("deploy", "deploying before the checks (--target live)")
    group.addoption(
        "--deploy",
        nargs="?",
        const="",
        default=None,
        metavar="DIR",
        help="deploy this folder (default: the shipped files) to the host, and roll back if a check is red",
    )
    group.addoption(
        "--despite",
        action="append",
        default=[],
        metavar="ID",
        help="deploy although the gate reports this error",
    )
    group.addoption(
        "--with-stop",
        action="append",
        default=[],
        metavar="TAG",
        help="do the work of this stop of an upgrade with the new version's image, before its own migrations (deploy --via)",
    )
    group.addoption(
        "--overwrite",
        action="store_true",
        help="replace files that were changed on the host since the last deploy",
    )
    group.addoption(
        "--drain-seconds",
        type=_seconds,
        default=None,
        metavar="SECONDS",
        help="how long the workers may take to finish their jobs before a deploy (default: 300)",
    )


def _seconds(text: str) -> int:
    try:
        return drain_seconds(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# Several hosts are handed to child processes, before pytest is configured.
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Refuse a deploy that nothing could decide on, or that goes to several hosts."""
    given, options = early_config.known_args_namespace, early_config.stash[OPTIONS]
    if given.deploy is None:
        for option, value in (
            ("--despite", given.despite),
            ("--with-stop", given.with_stop),
            ("--overwrite", given.overwrite),
            ("--drain-seconds", given.drain_seconds),
        ):
            if value:
                raise UsageError(
                    f"{option} belongs to a deploy, and this run deploys nothing: leave it out, or add --deploy"
                )
        return
    if options.target != "live" or len(options.hosts) != 1:
        raise UsageError(
            "--deploy needs --target live and one of --hosts; a stack is always deployed, and several hosts one by one"
        )
    if given.deploy and not os.path.isdir(given.deploy):
        raise UsageError(f"{given.deploy} is not a folder; give the folder that has the deployment's files")
    for id in given.despite:
        if registry.find(id) is None:
            raise UsageError(f"--despite: {registry.unknown(id)}")
    for tag in given.with_stop:
        stop_at(tag)
    if asks_for_gate(given.markexpr):
        raise UsageError("--deploy needs checks that decide whether it stays; -m gate has none of a host")


class Deploying:
    """A deploy of this run, and its end: it stays if the run is accepted, and is undone if not."""

    def __init__(self, config: pytest.Config):
        self._config = config
        self._host: SshHost | None = None
        self._rollout: Rollout | None = None

    def start(self) -> None:
        """Deploy. Ends the run where that is refused or fails, after going back."""
        from lago_acceptance.core.permit import Permit
        from lago_acceptance.core.resources import COMPOSE
        from lago_acceptance.deploy import deploy, placed
        from lago_acceptance.deploy.rollout import NotDeployed
        from lago_acceptance.deploy.wishes import DRAIN_SECONDS, Wishes
        from lago_acceptance.hosts.address import parse
        from lago_acceptance.hosts.ssh import SshHost

        option, options = self._config.option, self._config.stash[OPTIONS]
        order = deploy.Order(
            folder=Path(option.deploy) if option.deploy else None,
            settings_file=options.settings,
            project=options.project,
            overwrite=option.overwrite,
            ahead=tuple(map(stop_at, option.with_stop)),
            wishes=Wishes(
                despite=frozenset(option.despite), drain_seconds=option.drain_seconds or DRAIN_SECONDS
            ),
        )
        # Its own connection: the checks' ends before the run is decided.
        self._host = SshHost(parse(options.hosts[0]), options.ssh_config)
        self._config.add_cleanup(self._host.close)
        try:
            self._rollout = deploy.start(
                self._host,
                Permit("--deploy"),
                placed.placed(self._host, options.settings, options.project, order.folder or COMPOSE),
                self._config.stash[WAIVERS],
                order,
            )
        except NotDeployed as failed:
            cause, *more = str(failed).splitlines()
            for line in more:
                note(self._config, line)
            pytest.exit(f"not deployed: {cause}", pytest.ExitCode.TESTS_FAILED)

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._rollout is None:
            return
        from lago_acceptance.core.verdicts import Unreachable
        from lago_acceptance.deploy.rollout import NotDeployed

        with interrupts.deferred():
            try:
                if session.exitstatus == pytest.ExitCode.OK:
                    self._rollout.accept()
                    note(self._config, f"deployed as {self._rollout.id}{self._downtime}")
                else:
                    self._rollout.undo(self._cause(session))
            except NotDeployed as undone:
                for line in f"not deployed: {undone}".splitlines():
                    note(self._config, line)
            except Unreachable as error:
                session.exitstatus = UNREACHABLE
                note(
                    self._config,
                    f"it is not known whether the deploy stayed: {error}; ask lago-acceptance status",
                )
            finally:
                self._rollout.close()

    @property
    def _downtime(self) -> str:
        seconds = self._rollout.downtime if self._rollout else None
        return f"; the API was down for {seconds:.1f} s" if seconds is not None else ""

    def _cause(self, session: pytest.Session) -> str:
        if ending := self._config.stash.get(ENDING, ""):
            return ending
        if session.exitstatus == pytest.ExitCode.INTERRUPTED:
            return "the run was interrupted before its checks had decided"
        if session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            return "no check was run that could have decided"
        return "the checks above did not accept the new version"


def begin(config: pytest.Config) -> None:
    """Deploy, and let the end of this run decide whether it stays."""
    deploying = Deploying(config)
    config.pluginmanager.register(deploying, "lago-deploying")
    deploying.start()
