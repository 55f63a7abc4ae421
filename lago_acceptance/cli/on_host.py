"""What the commands that change a deployment have in common: the host they are given, and what runs there."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lago_acceptance.cli import Parser
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.deploy.small_change import Place
from lago_acceptance.hosts.base import Host

LOCAL = "local"


def parser(command: str, description: str) -> argparse.ArgumentParser:
    """A command's parser, with the options that all of them have."""
    made = Parser(prog=f"lago-acceptance {command}", description=description, allow_abbrev=False)
    made.add_argument("host", metavar="HOST", help="ssh://root@host, or local for this machine")
    made.add_argument(
        "--settings", type=Path, default=SETTINGS, metavar="FILE", help="the deployment's settings"
    )
    made.add_argument("--ssh-config", type=Path, metavar="FILE", help="replaces ~/.ssh/config")
    made.add_argument(
        "--project", default="", metavar="NAME", help="the Compose project, if the host has several Lagos"
    )
    return made


@contextmanager
def reached(word: str, ssh_config: Path | None) -> Iterator[Host]:
    """The host that a word names; its connection ends with the block. UsageError where it names none."""
    if word == LOCAL:
        from lago_acceptance.hosts.local import LocalHost

        yield LocalHost()
        return
    from lago_acceptance.hosts.address import parse
    from lago_acceptance.hosts.ssh import SshHost

    host = SshHost(parse(word), ssh_config)
    try:
        yield host
    finally:
        host.close()


def place(host: Host, settings: Settings, project: str) -> Place:
    """Where Lago runs on a host. Unreachable where its API does not run there."""
    from lago_acceptance.facts.collect import observe

    directory = settings.deployment.directory
    facts = observe(host, project=project, wanted_directory=directory)
    if not facts.project and len(facts.lagos) > 1:
        raise Unreachable(
            f"{len(facts.lagos)} Lago stacks are on {host.name}: {', '.join(facts.lagos)}; say which with --project NAME"
        )
    if (api := facts.running(API)) is None:
        raise Unreachable(
            f"no API container of Lago runs on {host.name}; start it there: cd {directory} && docker compose "
            f"-f {settings.deployment.compose_file} --env-file {settings.deployment.env_file} up -d"
        )
    return Place(settings.deployment, api.id, settings.gateway)
