"""``lago-acceptance settings [FILE|HOST]``: what a deployment says of itself, as a settings file."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

import msgspec

from lago_acceptance.cli import Parser, add_overlay, path, text
from lago_acceptance.cli.on_host import LOCAL, add_options, reached
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.roles import FRONT, LAGO_RUBY
from lago_acceptance.core.settings import default_file
from lago_acceptance.core.user_files import unusable
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago import settings_file
from lago_acceptance.lago.contradictions import contradictions
from lago_acceptance.lago.derived import Said, derived, given_for
from lago_acceptance.lago.settings_file import Placed
from lago_acceptance.model.deployment import Model
from lago_acceptance.model.source import ComposeSource


def run(given: list[str]) -> int:
    """Print the settings of the deployment that the command line names; 1 where its sources contradict each other."""
    asked = _parser().parse_args(given)
    on_host = asked.what == LOCAL or "://" in asked.what
    if on_host and (asked.env_file or asked.overlay):
        raise UsageError(
            "--env-file and --overlay are for a compose file; of a host, what runs there is asked"
        )
    if not on_host and (asked.project or asked.ssh_config):
        raise UsageError(
            "--project and --ssh-config are for a host: lago-acceptance settings ssh://root@HOST"
        )
    return _of_host(asked) if on_host else _of_file(asked)


def _parser() -> Parser:
    parser = Parser(
        prog="lago-acceptance settings",
        description="Prints what a compose file, or what runs on a host, says of itself: names, proxy, networks, version, each with its "
        "source, as a settings file that can be used as it is. Changes nothing.",
        epilog="The exit code is 1 if two sources contradict each other.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "what",
        nargs="?",
        type=text,
        default=".",
        metavar="FILE|HOST",
        help="a compose file or the folder that has one (default: this folder), ssh://root@host, or local for this machine",
    )
    add("--all", action="store_true", help="print the defaults of all limits too, as comments")
    add("--env-file", type=path, metavar="FILE", help="the variables of FILE (default: the .env beside it)")
    add_overlay(parser)
    add_options(parser)
    return parser


def _of_file(asked: Namespace) -> int:
    from lago_acceptance.composefile.found_files import projects_in
    from lago_acceptance.composefile.loader import load

    if asked.env_file and (problem := unusable(asked.env_file)):
        raise UsageError(f"--env-file {asked.env_file} {problem}")
    projects = projects_in((path(asked.what),), tuple(asked.overlay))
    if len(projects) > 1:
        raise UsageError(
            f"{asked.what} has {len(projects)} compose files: {', '.join(sorted(map(str, projects))[:5])}; name one"
        )
    ((file, overlays),) = projects.items()
    source = load(file, asked.env_file, overlays=overlays)
    if source.written.compose_error:
        raise UsageError(f"{file} can't be used: {source.written.compose_error}")
    _require_lago(source.model, str(file))
    own = [Said("deployment.compose_file", file.name, "the file itself"), *_env_file(file, asked.env_file)]
    return _print(asked, source.model, str(file), lambda said: _in_files(source.written, said), own)


def _in_files(written: ComposeSource, said: Said) -> str:
    """The file and the line of what says something."""
    path, line = written.place(said.at) if said.at else ("", None)
    return f"{Path(path).name}:{line}" if line else ""


def _env_file(file: Path, given: Path | None) -> list[Said]:
    """The file of variables that Compose takes for a compose file."""
    if given:
        return [Said("deployment.env_file", given.name, "--env-file")]
    beside = file.with_name(".env")
    return [Said("deployment.env_file", ".env", f"it is beside {file.name}")] if beside.is_file() else []


def _require_lago(model: Model, what: str) -> None:
    if not model.of_role(*LAGO_RUBY, FRONT):
        raise UsageError(
            f"{what} has no service of Lago: none has Lago's image, or starts one of its programs"
        )


def _of_host(asked: Namespace) -> int:
    from lago_acceptance.deploy.placed import seen
    from lago_acceptance.targets.which_lago import must_be_there

    with reached(asked.what, asked.ssh_config) as host:
        found = seen(host, asked.settings, asked.project)
        must_be_there(found.facts, host.name, asked.project, found.given.deployment)
    return _print(asked, found.facts.model(), found.facts.project or host.name, lambda said: "", [])


def _print(asked: Namespace, model: Model, of: str, placed: Placed, own: list[Said]) -> int:
    """Print what is derived, and what this command line adds to it; the exit code."""
    given, remark = given_for(asked.settings, model)
    file = asked.settings or default_file()
    source = str(file) if file and not remark else "the settings"
    found = derived(model, given)
    known = {each.entry: each for each in (*own, *found.said)}
    found = msgspec.structs.replace(found, said=tuple(known.values()))
    against = contradictions(model, given, source)
    print(
        settings_file.text(
            found, against, of=of, source=source, placed=placed, remark=remark, everything=asked.all
        ),
        end="",
    )
    if against:
        entries = ", ".join(dict.fromkeys(each.entry for each in against))
        print(
            f"lago-acceptance settings: what is said of {entries} contradicts itself; the comments have both sources",
            file=sys.stderr,
        )
    return NOT_ACCEPTED if against else ACCEPTED
