"""The console scripts: ``lago-gate FILE...`` judges compose files without pytest, ``lago-acceptance`` does everything else.

A command imports what it needs and no more: the gate answers at once, and runs where only its own dependencies are
installed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lago_acceptance import __version__
from lago_acceptance.core import interrupts, streams
from lago_acceptance.core.exit_codes import ACCEPTED, INTERNAL_ERROR, INTERRUPTED, UNREACHABLE, USAGE
from lago_acceptance.core.verdicts import Unreachable, UsageError

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


_looking = ContextVar("_looking", default=False)


class _Shown(BaseException):
    """A parser was to print its help."""

    def __init__(self, parser: argparse.ArgumentParser):
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """Reports what is wrong with a command line as a UsageError, in one sentence."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Print the help, unless ``parser_of`` wants the parser itself."""
        if _looking.get():
            raise _Shown(self)
        super().print_help(file)

    def error(self, message: str) -> NoReturn:
        """Raise the UsageError."""
        raise UsageError(f"{message}; see {self.prog} --help")


def path(word: str) -> Path:
    """The path in an argument: a variable that was not set leaves it empty, and a shell leaves ~ after an equals sign."""
    return Path(os.path.expanduser(text(word)))


def text(word: str) -> str:
    """A word in an argument: a variable that was not set leaves it empty, and would mean that the option was not given."""
    if not word.strip():
        raise argparse.ArgumentTypeError("it is empty: give a value, or leave it out")
    return word


def add_overlay(parser: argparse.ArgumentParser) -> None:
    """Add --overlay, which may be repeated: ``overlay`` is the list of the paths, empty without it."""
    parser.add_argument(
        "--overlay",
        action="append",
        default=[],
        type=path,
        metavar="FILE",
        help="a compose file that is laid over FILE; repeat it for more",
    )


def parser_of(run: Callable[[list[str]], int]) -> argparse.ArgumentParser:
    """The parser with which a command reads its arguments: that whose help it prints."""
    before = _looking.set(True)
    try:
        run(["--help"])
    except _Shown as shown:
        return shown.parser
    finally:
        _looking.reset(before)
    raise ValueError(f"{run.__module__} has no help")


def guarded(program: str, run: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Run a command; what goes wrong is one sentence on standard error and an exit code."""
    streams.settle()
    interrupts.watch()
    try:
        code = run(arguments)
        streams.say_what_was_lost(program)
        return code
    except UsageError as error:
        print(f"{program}: {_safe(str(error))}", file=sys.stderr)
        return USAGE
    except Unreachable as error:
        print(f"{program}: {_safe(str(error))}", file=sys.stderr)
        return UNREACHABLE
    except KeyboardInterrupt:
        interrupts.end()
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001
        from lago_acceptance.core import strain

        if lack := strain.sentence(error):
            print(f"{program}: not judged: {lack}", file=sys.stderr)
            return UNREACHABLE
        import traceback

        print(_safe(traceback.format_exc()), end="", file=sys.stderr)
        print(f"{program}: internal error of the suite, so there is no verdict", file=sys.stderr)
        return INTERNAL_ERROR


def _safe(text: str) -> str:
    from lago_acceptance.core.printable import printable
    from lago_acceptance.core.secrets import redact

    return printable(redact(text))


def explain(id: str) -> int:
    """Print the page of a finding id, or the list of all where it is empty."""
    from lago_acceptance.core.explain import explanation

    print(explanation(id))
    return ACCEPTED


def print_versions() -> int:
    """Print the versions of the suite, of Python and of Compose."""
    from lago_acceptance.core.resources import compose_version

    python = ".".join(map(str, sys.version_info[:3]))
    print(f"lago-acceptance {__version__}\nPython {python}\nDocker Compose {compose_version()}")
    return ACCEPTED
