"""What the commands that change a deployment have in common: the host they are given, and what runs there."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lago_acceptance.cli import Parser, path
from lago_acceptance.core.options import no_project
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.user_files import unusable
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy.small_change import Place
from lago_acceptance.hosts.base import Host

LOCAL = "local"


def parser(command: str, description: str) -> argparse.ArgumentParser:
    """A command's parser, with the options that all of them have."""
    made = Parser(prog=f"lago-acceptance {command}", description=description, allow_abbrev=False)
    made.add_argument("host", metavar="HOST", help="ssh://root@host, or local for this machine")
    add_options(made)
    return made


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say how a host is reached, and which Lago on it is meant."""
    add = parser.add_argument
    add("--settings", type=path, metavar="FILE", help="the deployment's settings")
    add("--ssh-config", type=path, metavar="FILE", help="replaces ~/.ssh/config")
    add(
        "--project",
        type=_project,
        default="",
        metavar="NAME",
        help="the Compose project, if the host has several Lagos",
    )


def _project(text: str) -> str:
    # argparse asks for its default too.
    if text and (problem := no_project(text)):
        raise argparse.ArgumentTypeError(problem)
    return text


@contextmanager
def reached(word: str, ssh_config: Path | None) -> Iterator[Host]:
    """The host that a word names; its connection ends with the block. UsageError where it names none."""
    if word == LOCAL:
        from lago_acceptance.hosts.local import LocalHost

        yield LocalHost()
        return
    if ssh_config and (problem := unusable(ssh_config)):
        raise UsageError(f"--ssh-config {ssh_config} {problem}")
    from lago_acceptance.hosts.address import parse
    from lago_acceptance.hosts.ssh import SshHost

    host = SshHost(parse(word), ssh_config)
    try:
        yield host
    finally:
        host.close()


def place(host: Host, settings_file: Path | None, project: str) -> tuple[Place, Settings]:
    """Where Lago runs on a host, and its settings. Unreachable where its API does not run there."""
    from lago_acceptance.deploy import placed

    facts, _, settings = placed.seen(host, settings_file, project)
    if (api := facts.running(API)) is None:
        raise Unreachable(
            f"no API container of Lago runs on {host.name}; start it there: {settings.deployment.start}"
        )
    placed.require(settings.deployment, host.name)
    return Place(settings.deployment, api.id, settings.key_place), settings
