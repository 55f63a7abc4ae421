"""``lago-acceptance version``."""

from __future__ import annotations

from lago_acceptance.cli import Parser, print_versions


def run(given: list[str]) -> int:
    """Print the versions; the exit code."""
    Parser(
        prog="lago-acceptance version",
        description="Prints the versions of the suite, of Python and of Docker Compose.",
    ).parse_args(given)
    return print_versions()
