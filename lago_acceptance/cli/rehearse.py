"""``lago-acceptance rehearse``: restores a dump where it does no harm, and says whether it could be restored for real."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lago_acceptance.cli import Parser, path
from lago_acceptance.cli.on_host import LOCAL, add_options, reached
from lago_acceptance.core import private_folders, report_files, resources
from lago_acceptance.core import run as runs
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.printable import printable
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Settings, load
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.release_table import Release
from lago_acceptance.lago.upgrade_path import named as release_named

if TYPE_CHECKING:
    from lago_acceptance.deploy.rehearsal_source import Source
    from lago_acceptance.hosts.base import Host

PERMIT = Permit("rehearse")
LEAVES = "--dump-may-leave-the-host"


def run(given: list[str]) -> int:
    """Rehearse the restore that the command line names; the exit code."""
    asked = _parser().parse_args(given)
    asked.say = say_aside if asked.json else say
    settings = load(asked.settings)
    named = asked.what == LOCAL or "://" in asked.what
    if not named and asked.leaves:
        raise UsageError(f"{LEAVES} is for a dump on a host; {asked.what} is a file here")
    if named and (asked.env_file or asked.compose_file != resources.SHIPPED_COMPOSE_FILE):
        raise UsageError(
            "--compose-file and --env-file are for a dump here; on a host, what runs there is taken"
        )
    to = _to(asked)
    problems = _of_host(asked, to) if named else _of_file(asked, settings, to)
    for problem in problems:
        asked.say(problem)
    asked.say("not accepted" if problems else f"{_accepted(to)}; the rehearsal was removed")
    return NOT_ACCEPTED if problems else ACCEPTED


def say(line: str) -> None:
    """Print a line, without any secret."""
    print(printable(redact(line)), flush=True)


def say_aside(line: str) -> None:
    """The same where standard output is for JSON."""
    print(printable(redact(line)), file=sys.stderr, flush=True)


def _to(asked: Namespace) -> Release | None:
    """The release to walk to, None for one step. UsageError for options that contradict each other."""
    if asked.to is None:
        for name in ("repository", "report", "json"):
            if getattr(asked, name):
                option = {"repository": "--image-repository"}.get(name, f"--{name}")
                raise UsageError(
                    f"{option} is for the walk to another release: add --to VERSION, or leave it out"
                )
        return None
    if asked.image:
        raise UsageError(
            "--image is for one step with one image, and --to walks with an image of each release: give one of them"
        )
    if asked.report and not asked.report.parent.is_dir():
        raise UsageError(
            f"there is no folder {asked.report.parent} for --report: make it first, or give another file"
        )
    return release_named(asked.to)


def _accepted(to: Release | None) -> str:
    return (
        f"the upgrade to {to.tag} arrives, and is accepted"
        if to
        else "the dump was restored, and is accepted"
    )


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
    add(
        "--to",
        metavar="VERSION",
        help="walk to this release, stop by stop, and compare data, answers and billing with before",
    )
    add(
        "--image-repository",
        dest="repository",
        default="",
        metavar="REPOSITORY",
        help="with --to: take the releases' images from here (default: where the API's image is from)",
    )
    add("--report", type=path, metavar="FILE", help="with --to: write what was seen as JSON")
    add("--json", action="store_true", help="with --to: print that JSON, and all else as errors")
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


def _of_host(asked: Namespace, to: Release | None) -> list[str]:
    from lago_acceptance.deploy import dumps
    from lago_acceptance.deploy.dumped_release import on_host
    from lago_acceptance.deploy.placed import require, seen
    from lago_acceptance.deploy.rehearsal_source import of_deployment

    with reached(asked.what, asked.ssh_config) as host:
        facts, _, settings = seen(host, asked.settings, asked.project)
        require(settings.deployment, host.name)
        directory = settings.deployment.directory
        dump = dumps.newest(host, settings, facts)
        asked.say(
            f"the newest dump on {host.name} is {dump.path}, {dump.size / dumps.MIB:.1f} MiB, of {dump.day}"
        )
        if not asked.leaves:
            asked.say("it is rehearsed there, and nothing leaves the host")
            source = of_deployment(host, facts, asked.image)
            lago = Rehearsed(host, settings, directory, dump.path, source, dump.identity)
            return _rehearse(asked, lago, to, lambda tags: on_host(source, asked.repository, tags))
        asked.say(
            "it leaves the host: customers' names, addresses, e-mail addresses, tax numbers, invoices and usage, and the API keys "
            "of the organization; the copy here is removed afterwards"
        )
        with private_folders.temporary("lago-rehearsal-") as folder:
            copy = dumps.copied(host, PERMIT, dump, folder, asked.say)
            return _here(copy, dump.identity, folder, asked, settings, to)


# --- a dump here ---


def _of_file(asked: Namespace, settings: Settings, to: Release | None) -> list[str]:
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
        return _here(dump, counted, folder, asked, settings, to)


def _here(
    dump: Path,
    counted: dict[str, str],
    folder: Path,
    asked: Namespace,
    settings: Settings,
    to: Release | None,
) -> list[str]:
    from lago_acceptance.core.roles import API, DB, REDIS
    from lago_acceptance.deploy.dumped_release import references
    from lago_acceptance.deploy.rehearsal_source import of_files
    from lago_acceptance.hosts.local import LocalHost
    from lago_acceptance.images import resolve
    from lago_acceptance.images.standins import NoImage
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
    found: dict[str, str] = {}

    def get(references: Iterable[str]) -> dict[str, str]:
        """The images here of these references."""
        # One that replaces the API's would be that of every release.
        variables = {
            name: value
            for name, value in os.environ.items()
            if not to or name != resolve.VARIABLES["getlago/api"]
        }
        for reference, image in resolve.resolve(
            [each for each in references if each not in found], options.images, variables
        ).items():
            found[reference] = image.reference
            if image.origin == "stand-in":
                asked.say(
                    f"warning: {reference} can't be had, and a stand-in runs in its place: it proves nothing about Lago's migrations"
                )
        return found

    get([service.image for service in model.of_role(API, DB, REDIS)] + [asked.image] * bool(asked.image))
    source = of_files(model, found, asked.image)
    if not asked.env_file:
        asked.say(
            "not judged: values that Lago has encrypted, because its keys are not here (--env-file gives them)"
        )

    def here(tags: Sequence[str]) -> dict[str, str]:
        return {
            tag: had_or_named(reference)
            for tag, reference in references(source.lago_reference, asked.repository, tags).items()
        }

    def had_or_named(reference: str) -> str:
        """The image here, else its name: whether a rehearsal can do without it is not decided here."""
        try:
            return get([reference])[reference]
        except NoImage:
            return reference

    return _rehearse(asked, Rehearsed(host, settings, str(folder), str(dump), source, counted), to, here)


# --- both ---


class Rehearsed(msgspec.Struct, frozen=True):
    """What is rehearsed, and where; see Rehearsal."""

    host: Host
    settings: Settings
    directory: str
    dump: str
    source: Source
    identity: dict[str, str]


def _rehearse(
    asked: Namespace, what: Rehearsed, to: Release | None, image_of: Callable[[Sequence[str]], dict[str, str]]
) -> list[str]:
    from lago_acceptance.deploy.rehearsal import Rehearsal

    given: dict[str, Any] = {**msgspec.structs.asdict(what), "permit": PERMIT, "say": asked.say}
    if to is None:
        return Rehearsal(**given).run()
    from lago_acceptance.deploy.dumped_release import tag_in
    from lago_acceptance.deploy.rehearsal_report import Report
    from lago_acceptance.deploy.rehearsed_path import RehearsedPath

    report = Report(dump=what.dump)
    path = RehearsedPath(
        **given, to=to, running=tag_in(what.source.lago_reference), image_of=image_of, report=report
    )
    problems = path.run()
    if asked.report:
        report_files.write(asked.report, report.encoded(), instead="give another file with --report")
    if asked.json:
        print(report.encoded().decode(), end="")
    return problems
