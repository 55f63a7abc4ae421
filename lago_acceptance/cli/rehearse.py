"""``lago-acceptance rehearse``: restores a dump where it does no harm, and says whether it could be restored for real."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from lago_acceptance.cli import Parser, path
from lago_acceptance.cli.on_host import LOCAL, add_options, observed, reached
from lago_acceptance.core import private_folders, resources
from lago_acceptance.core import run as runs
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.printable import printable
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Settings, load
from lago_acceptance.core.verdicts import UsageError

if TYPE_CHECKING:
    from lago_acceptance.deploy.rehearsal import Source
    from lago_acceptance.hosts.base import Host

PERMIT = Permit("rehearse")
LEAVES = "--dump-may-leave-the-host"


def run(given: list[str]) -> int:
    """Rehearse the restore that the command line names; the exit code."""
    asked = _parser().parse_args(given)
    settings = load(asked.settings)
    named = asked.what == LOCAL or "://" in asked.what
    if not named and asked.leaves:
        raise UsageError(f"{LEAVES} is for a dump on a host; {asked.what} is a file here")
    if named and (asked.env_file or asked.compose_file != resources.SHIPPED_COMPOSE_FILE):
        raise UsageError(
            "--compose-file and --env-file are for a dump here; on a host, what runs there is taken"
        )
    from lago_acceptance.deploy.rehearsal import NotRestored

    try:
        problems = _of_host(asked, settings) if named else _of_file(asked, settings)
    except NotRestored as error:
        problems = [str(error)]
    for problem in problems:
        say(problem)
    say("not accepted" if problems else "the dump was restored, and is accepted; the rehearsal was removed")
    return NOT_ACCEPTED if problems else ACCEPTED


def say(line: str) -> None:
    """Print a line, without any secret."""
    print(printable(redact(line)), flush=True)


def _parser() -> Parser:
    parser = Parser(
        prog="lago-acceptance rehearse",
        description="Restores the newest dump of a host, or a local dump, into a separate project, migrates it and reads it.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "what",
        metavar="HOST|DUMP",
        help="ssh://root@host, local for this machine, or a file made with pg_dump -Fc",
    )
    add(
        LEAVES,
        dest="leaves",
        action="store_true",
        help="copy the host's dump to this machine, and rehearse here instead of on the host",
    )
    add("--image", default="", metavar="REFERENCE", help="migrate with this image of Lago's API")
    add_options(parser)
    add(
        "--compose-file",
        type=path,
        default=resources.SHIPPED_COMPOSE_FILE,
        metavar="FILE",
        help="the compose file to rehearse a local dump with",
    )
    add(
        "--env-file",
        type=path,
        metavar="FILE",
        help="its variables (default: made up, so encrypted values can't be read)",
    )
    return parser


# --- a dump on a host ---


def _of_host(asked: Namespace, settings: Settings) -> list[str]:
    from lago_acceptance.deploy import dumps
    from lago_acceptance.deploy.rehearsal import of_deployment

    with reached(asked.what, asked.ssh_config) as host:
        directory = settings.deployment.directory
        facts = observed(host, settings, asked.project)
        dump = dumps.newest(host, settings, facts)
        say(f"the newest dump on {host.name} is {dump.path}, {dump.size / dumps.MIB:.1f} MiB, of {dump.day}")
        if not asked.leaves:
            say("it is rehearsed there, and nothing leaves the host")
            source = of_deployment(host, facts, asked.image)
            return _rehearsal(host, settings, directory, dump.path, source, dump.identity)
        say(
            "it leaves the host: customers' names, addresses, e-mail addresses, tax numbers, invoices and usage, and the API keys "
            "of the organization; the copy here is removed afterwards"
        )
        with private_folders.temporary("lago-rehearsal-") as folder:
            copy = dumps.copied(host, PERMIT, dump, folder, say)
            return _here(copy, dump.identity, folder, asked, settings)


# --- a dump here ---


def _of_file(asked: Namespace, settings: Settings) -> list[str]:
    from lago_acceptance.deploy import identity

    dump = Path(asked.what).absolute()
    try:
        with dump.open("rb"):
            beside = dump.parent / "identity"
            counted = identity.parsed(beside.read_text("utf-8").splitlines()) if beside.is_file() else {}
    except OSError as error:
        raise UsageError(
            f"{asked.what} can't be read: {error.strerror}; give a file made with pg_dump -Fc, or ssh://root@HOST"
        ) from error
    with private_folders.temporary("lago-rehearsal-") as folder:
        return _here(dump, counted, folder, asked, settings)


def _here(
    dump: Path, counted: dict[str, str], folder: Path, asked: Namespace, settings: Settings
) -> list[str]:
    from lago_acceptance.core.roles import API, DB, REDIS
    from lago_acceptance.deploy.rehearsal import of_files
    from lago_acceptance.hosts.local import LocalHost
    from lago_acceptance.images import resolve
    from lago_acceptance.targets.stack import docker_daemon
    from lago_acceptance.targets.stack.deployment_files import Declaration

    host = LocalHost()
    docker_daemon.refuse_remote(docker_daemon.read(host))
    options = Options(
        reports=folder, compose_files=(asked.compose_file,), env_file=asked.env_file, settings=asked.settings
    )
    options.check()
    declared = Declaration(options, settings, runs.Run(runs.new_id(), folder, folder), host, PERMIT)
    model = declared.model
    wanted = [service.image for service in model.of_role(API, DB, REDIS)] + [asked.image] * bool(asked.image)
    found = resolve.resolve(wanted, options.images, os.environ)
    for reference, image in found.items():
        if image.origin == "stand-in":
            say(
                f"warning: {reference} can't be had, and a stand-in runs in its place: it proves nothing about Lago's migrations"
            )
    source = of_files(model, {reference: image.reference for reference, image in found.items()}, asked.image)
    if not asked.env_file:
        say(
            "not judged: values that Lago has encrypted, because its keys are not here (--env-file gives them)"
        )
    return _rehearsal(host, settings, str(folder), str(dump), source, counted)


def _rehearsal(
    host: Host, settings: Settings, directory: str, dump: str, source: Source, counted: dict[str, str]
) -> list[str]:
    from lago_acceptance.deploy.rehearsal import Rehearsal

    return Rehearsal(
        host=host,
        permit=PERMIT,
        settings=settings,
        directory=directory,
        dump=dump,
        source=source,
        identity=counted,
        say=say,
    ).run()
