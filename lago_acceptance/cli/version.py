"""``lago-acceptance version``."""

from __future__ import annotations

import argparse

from lago_acceptance.cli import Parser, print_versions


def parser() -> argparse.ArgumentParser:
    """What the command takes: nothing."""
    return Parser(
        prog="lago-acceptance version",
        description="Prints the versions of the suite, of Python and of Docker Compose.",
    )


def run(given: list[str]) -> int:
    """Print them; the exit code."""
    parser().parse_args(given)
    return print_versions()
