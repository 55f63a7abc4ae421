"""``lago-acceptance COMMAND``: runs of the suite by pytest, from any folder, and what goes with them."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from lago_acceptance.cli import (
    ACCEPTED,
    Parser,
    admin_password,
    api_key,
    deploy,
    explain,
    gate,
    guarded,
    history,
    live,
    merge,
    nightly,
    print_versions,
    provision,
    rehearse,
)
from lago_acceptance.core import resources
from lago_acceptance.core.verdicts import UsageError

# The extra of each command, and modules that are there only where it is installed.
EXTRAS = {
    "smoke": ("stack", ("pytest", "testinfra", "httpx", "docker", "testcontainers", "trustme")),
    "live": ("live", ("pytest", "testinfra", "httpx", "dns")),
    "nightly": ("nightly", ("pytest", "testinfra", "httpx", "dns", "apprise")),
    "merge": ("live", ("jinja2",)),
    "rehearse": ("stack", ("testinfra", "docker", "testcontainers")),
    "deploy": ("live", ("pytest", "testinfra", "httpx", "dns")),
    "status": ("live", ("testinfra",)),
    "rollback": ("live", ("testinfra", "httpx")),
    "api-key": ("live", ("testinfra", "httpx")),
    "admin-password": ("live", ("testinfra",)),
    "images": ("stack", ("docker", "filelock")),
}
USAGE_TEXT = """\
commands:
  smoke [OPTION...]        bring the deployment up on this machine and run the read-only core (needs Docker)
  live HOST... [OPTION...] check running deployments: ssh://root@HOST; changes nothing
  nightly HOST...          the look of every night: the slow checks too, a second look, alarms, metrics
  merge DIR...             one page, one summary and one exit code of runs that were made elsewhere
  deploy HOST [DIR] [--plan]
                           deploy a folder to a host, check it, and go back if a check is red; --plan only shows it
  status HOST              show who is changing a deployment, how its deploys ended, and its backups
  rollback HOST [--to ID]  go back to what ran before, or undo a deploy that was cut off
  gate FILE...             judge compose files; the same as lago-gate
  provision [FOLDER]       make .env.lago and the RSA key in a folder; a key that is or was in use is kept
  rehearse HOST|DUMP       restore the newest dump of a host, or a dump here, beside everything else, and read it
  history [HOST]           print what earlier runs against a host saw; without HOST, the last run of each
  explain [ID]             print the page of a finding id; without ID, list all ids
  list                     list all finding ids by phase
  api-key HOST [OPTION...] list Lago's API keys, or give the gateway a new one
  admin-password HOST      set the password of a user of Lago's web UI
  images                   build the stand-in images that are missing
  version                  print the versions of this suite, Python and Compose

OPTION is one of the suite (--reports FOLDER, --compose-file FILE, --keep, ...) or of pytest (-k, -x, ...);
`lago-acceptance smoke --help` lists them. The exit code is 0 accepted, 1 not accepted, 2 interrupted, 3 internal error,
4 wrong options or files, 5 nothing was checked, 6 the target could not be reached or brought up.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """``lago-acceptance``; returns the exit code."""
    return guarded("lago-acceptance", _run, sys.argv[1:] if arguments is None else arguments)


def _run(arguments: Sequence[str]) -> int:
    parser = Parser(
        prog="lago-acceptance",
        usage="lago-acceptance COMMAND ...",
        description="Checks whether a Lago deployment really bills.",
        epilog=USAGE_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands: dict[str, Callable[[list[str]], int]] = {
        "smoke": lambda given: _pytest(["-m", "smoke", *given]),
        "live": lambda given: live.run(given, _pytest),
        "nightly": nightly.run,
        "merge": merge.run,
        "deploy": _deploy,
        "status": deploy.status,
        "rollback": deploy.rollback,
        "gate": gate.run,
        "provision": provision.run,
        "rehearse": rehearse.run,
        "history": history.run,
        "explain": _explain,
        "list": lambda given: _no_more("list", given) or explain(""),
        "api-key": api_key.run,
        "admin-password": admin_password.run,
        "images": _images,
        "version": _version,
    }
    parser.add_argument("--version", action="store_true", help="the same as the command version")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.version:
        return print_versions()
    if given.command is None:
        raise UsageError(f"which command? One of {', '.join(commands)}; see lago-acceptance --help")
    if given.command not in commands:
        raise UsageError(f"there is no command {given.command!r}; use one of {', '.join(commands)}")
    extra, modules = EXTRAS.get(given.command, ("", ()))
    if missing := [name for name in modules if find_spec(name) is None]:
        raise UsageError(
            f"{given.command} needs more than the gate ({', '.join(missing)} not found): "
            f"pip install 'lago-acceptance[{extra}]'"
        )
    return commands[given.command](given.arguments)


def _deploy(given: list[str]) -> int:
    arguments = deploy.pytest_arguments(given)
    return ACCEPTED if arguments is None else _pytest(arguments)


def _pytest(arguments: list[str]) -> int:
    """Run the suite by pytest, wherever this was started."""
    import pytest

    try:
        shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    except ValueError as error:
        raise UsageError(f"the variable PYTEST_ADDOPTS can't be used: {str(error).lower()}") from error
    named = any(map(_names_tests, arguments))
    given = [str(resources.ROOT / word) if _names_tests(word) else word for word in arguments]
    # pytest.ini names a plugin of this folder.
    sys.path.insert(0, str(resources.ROOT))
    everything = [] if named else [str(resources.SUITES)]
    return int(pytest.main(["-c", str(resources.PYTEST_INI), *given, *everything]))


def _names_tests(word: str) -> bool:
    """Whether a word is a test of the suites as reports print it: suites/phase2_services/test_jobs.py::test_name."""
    path = resources.ROOT / word.partition("::")[0]
    return not word.startswith("-") and path.is_relative_to(resources.SUITES) and path.exists()


def _explain(given: list[str]) -> int:
    if len(given) > 1:
        raise UsageError("explain takes one finding id, or none to list them all")
    return explain(given[0] if given else "")


def _images(given: list[str]) -> int:
    from lago_acceptance.images import resolve, standins

    _no_more("images", given)
    for name in standins.names():
        print(resolve.stand_in(name), flush=True)
    return ACCEPTED


def _no_more(command: str, given: list[str]) -> int:
    if given:
        raise UsageError(f"{command} takes no arguments, but was given {' '.join(given)}")
    return ACCEPTED


def _version(given: list[str]) -> int:
    return _no_more("version", given) or print_versions()
