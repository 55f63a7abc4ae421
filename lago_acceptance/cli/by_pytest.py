"""``lago-acceptance smoke``, ``live`` and ``deploy``: runs of the suite by pytest, from any folder."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

from lago_acceptance.cli import Parser
from lago_acceptance.cli import deploy as deploying
from lago_acceptance.core import resources
from lago_acceptance.core.exit_codes import ACCEPTED
from lago_acceptance.core.options import LIVE_ALONE, STACK_ALONE
from lago_acceptance.core.verdicts import UsageError

if TYPE_CHECKING:
    import pytest

PYTESTS_OWN = (
    "Options of pytest work as well: -k EXPRESSION, -x, -v, --lf and others (docs/pytest.md), and so do "
    "names of tests as reports print them."
)
# Options that one of the two has no use for.
OF_LIVE, OF_STACK = (*LIVE_ALONE, "--seed"), tuple(STACK_ALONE)


def smoke(given: list[str]) -> int:
    """Bring a stack up and check it; the exit code."""
    return _helped(_smoke_parser(), given) or _pytest(["-m", "smoke", *given])


def live(given: list[str]) -> int:
    """Check running deployments; the exit code."""
    from lago_acceptance.cli import live as hosts

    return _helped(_live_parser(), given) or hosts.run(given, _pytest)


def deploy(given: list[str]) -> int:
    """Deploy a folder and check it; the exit code."""
    return deploying.run(given, _pytest)


def _smoke_parser() -> argparse.ArgumentParser:
    """What ``smoke`` takes, without the options of pytest."""
    made = Parser(
        prog="lago-acceptance smoke",
        usage="lago-acceptance smoke [OPTION...]",
        description="Brings the deployment up on this machine, with a proxy, a CA and a DNS server of its own, runs "
        "the read-only core of the checks, and removes everything again. Needs Docker.",
        epilog=PYTESTS_OWN,
    )
    _add_options_of_the_suite(made, OF_LIVE)
    return made


def _live_parser() -> argparse.ArgumentParser:
    """What ``live`` takes, without the options of pytest."""
    from lago_acceptance.cli import many

    made = many.parser(
        "live",
        "Checks running deployments over ssh and from outside, several hosts side by side. Changes nothing unless "
        "--allow-writes, --seed or --reseed is given.",
    )
    made.epilog = PYTESTS_OWN
    _add_options_of_the_suite(made, OF_STACK)
    return made


def _helped(parser: argparse.ArgumentParser, given: list[str]) -> int:
    """Print the help and end, where it is asked for."""
    if {"-h", "--help"}.intersection(given):
        parser.print_help()
        parser.exit()
    return ACCEPTED


class _Options:
    """Receives the plugin's options in the place of pytest's parser, and hands on what a command's parser lacks."""

    def __init__(self, parser: argparse.ArgumentParser, without: Collection[str]):
        self._group = parser.add_argument_group("options of the suite")
        self._without = {
            "--target",
            *without,
            *(word for each in parser._actions for word in each.option_strings),
        }
        self._wanted = False

    def getgroup(self, name: str, description: str = "") -> _Options:
        """pytest's method: what follows is of this group."""
        self._wanted = name == "lago"
        return self

    def addoption(self, *names: str, **how: Any) -> None:
        """pytest's method: one option."""
        if self._wanted and names[0] not in self._without:
            text = how.get("help", "").removeprefix("live: ").removeprefix("stack: ")
            self._group.add_argument(*names, **(how | {"help": text.replace("%", "%%")}))


def _add_options_of_the_suite(parser: argparse.ArgumentParser, without: Collection[str]) -> None:
    from lago_acceptance.plugin import options

    options.pytest_addoption(cast("pytest.Parser", _Options(parser, without)))


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
