"""``lago-acceptance upgrade-path FROM TO``: the way to a later release of Lago, for this deployment."""

from __future__ import annotations

import sys

from lago_acceptance.cli import Parser, path
from lago_acceptance.core import colors, resources
from lago_acceptance.core.exit_codes import ACCEPTED
from lago_acceptance.core.settings import Settings, load
from lago_acceptance.core.verdicts import UsageError


def run(given: list[str]) -> int:
    """Print the way that the command line asks for; the exit code."""
    asked = _parser().parse_args(given)
    if len(asked.releases) != 2:
        missing = "TO is missing" if len(asked.releases) == 1 else f"{len(asked.releases)} releases are given"
        raise UsageError(
            f"{missing}: lago-acceptance upgrade-path FROM TO takes the release that runs and the one that is wanted"
        )
    from lago_acceptance.composefile.upgrade_files import read_files
    from lago_acceptance.composefile.upgrade_plan import planned
    from lago_acceptance.lago.derived import named_in
    from lago_acceptance.lago.upgrade_path import named

    had, has = map(named, asked.releases)
    settings = load(asked.settings)
    files = read_files(asked.compose_file, asked.env_file, settings.deployment.env_file)
    if not asked.settings and not named_in(settings, files.files.values()):
        # It is of another deployment, and so is the name of its environment file.
        settings = Settings()
        files = read_files(asked.compose_file, asked.env_file, "")
    deployment = settings.deployment
    plan = planned(had, has, deployment, files)
    if asked.json:
        import msgspec

        print(msgspec.json.format(msgspec.json.encode(plan), indent=2).decode())
        return ACCEPTED
    from lago_acceptance.cli.upgrade_path_text import text

    print(text(plan, color=colors.wanted(sys.stdout)))
    return ACCEPTED


def _parser() -> Parser:
    parser = Parser(
        prog="lago-acceptance upgrade-path",
        usage="lago-acceptance upgrade-path [OPTION...] FROM TO",
        description="Prints the way from one release of Lago to another for this deployment: where to stop, what to run there, "
        "how to see that it is done, what changes in the files, and what users notice. Needs neither Docker nor a host.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("releases", nargs="+", metavar="FROM TO", help="two releases, such as v1.16.0 v1.26.0")
    add(
        "--compose-file",
        type=path,
        default=resources.SHIPPED_COMPOSE_FILE,
        metavar="FILE",
        help="the deployment's compose file (default: the shipped one)",
    )
    add(
        "--env-file",
        type=path,
        metavar="FILE",
        help="its variables (default: deployment.env_file beside the compose file, if it is there)",
    )
    add("--settings", type=path, metavar="FILE", help="the deployment's settings")
    add("--json", action="store_true", help="print it as JSON")
    return parser
