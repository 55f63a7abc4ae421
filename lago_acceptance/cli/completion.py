"""``lago-acceptance completion SHELL``: completions of commands, options, files and finding ids, made by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from lago_acceptance.cli import Parser, suite
from lago_acceptance.cli.commands import COMMANDS
from lago_acceptance.core import registry
from lago_acceptance.core.exit_codes import ACCEPTED

SHELLS = ("bash", "zsh", "fish")
INSTALLED = """\
where the output goes:
  bash  ~/.local/share/bash-completion/completions/lago-acceptance
  zsh   _lago-acceptance, in a folder of $fpath
  fish  ~/.config/fish/completions/lago-acceptance.fish
"""
_FILES, _FOLDERS = ("FILE", "PEM", "PATH"), ("FOLDER", "DIR")
# Arguments that take the id of a finding.
_IDS = (("explain", "id"), ("gate", "explain"), ("deploy", "despite"))


def run(given: list[str]) -> int:
    """Print the script; the exit code."""
    parser = Parser(
        prog="lago-acceptance completion",
        description="Prints a script that lets the shell complete commands, options, files\nand finding ids.",
        epilog=INSTALLED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    shell = parser.parse_args(given).shell
    import shtab

    print(shtab.complete(everything(), shell))
    return ACCEPTED


def everything() -> argparse.ArgumentParser:
    """One parser of all commands, whose arguments say what completes them."""
    made = argparse.ArgumentParser(prog="lago-acceptance", description=suite.parser().description)
    made.add_argument("--version", action="store_true", help="print the versions in use")
    commands = made.add_subparsers()
    for command in COMMANDS.values():
        of_command = command.parser()
        _say_what_completes(command.name, of_command._actions)
        commands.add_parser(command.name, parents=[of_command], add_help=False, help=command.title)
    return made


def _say_what_completes(command: str, arguments: Iterable[argparse.Action]) -> None:
    import shtab

    for argument in arguments:
        if (command, argument.dest) in _IDS:
            argument.choices = list(registry.entries())
        elif argument.metavar in _FILES:
            argument.complete = shtab.FILE  # type: ignore[attr-defined]
        elif argument.metavar in _FOLDERS:
            argument.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
