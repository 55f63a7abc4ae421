"""``lago-acceptance images``: the stand-in images that are missing."""

from __future__ import annotations

from lago_acceptance.cli import Parser
from lago_acceptance.core.exit_codes import ACCEPTED


def run(given: list[str]) -> int:
    """Build them; the exit code."""
    Parser(
        prog="lago-acceptance images",
        description="Builds the stand-in images that are not on this machine yet, and prints their names.",
    ).parse_args(given)
    from lago_acceptance.images import resolve, standins

    for name in standins.names():
        print(resolve.stand_in(name), flush=True)
    return ACCEPTED
