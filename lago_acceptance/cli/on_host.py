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
from lago_acceptance.facts.types import Facts
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


def observed(host: Host, settings: Settings, project: str, *, upgrade: bool = False) -> Facts:
    """The facts of a host; for an ``upgrade`` with what that needs to know, in place of the billing signs. UsageError where
    it has several Lagos, and nothing says which one is meant.
    """
    from lago_acceptance.facts.collect import ONLY, observe

    facts = observe(
        host,
        project=project,
        wanted_directory=settings.deployment.directory,
        backups=settings.backup.files if settings.backup else "",
        bounds=settings.signs,
        upgrade=ONLY if upgrade else "",
    )
    if not facts.project and len(facts.lagos) > 1:
        raise UsageError(
            f"{len(facts.lagos)} Lago stacks are on {host.name}: {', '.join(facts.lagos)}; say which one with --project NAME"
        )
    return facts


def place(host: Host, settings: Settings, project: str) -> Place:
    """Where Lago runs on a host. Unreachable where its API does not run there."""
    directory, facts = settings.deployment.directory, observed(host, settings, project)
    if (api := facts.running(API)) is None:
        raise Unreachable(
            f"no API container of Lago runs on {host.name}; start it there: cd {directory} && docker compose "
            f"-f {settings.deployment.compose_file} --env-file {settings.deployment.env_file} up -d"
        )
    return Place(settings.deployment, api.id, settings.gateway)
