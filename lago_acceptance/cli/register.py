"""``lago-acceptance explain`` and ``list``: the register of finding ids."""

from __future__ import annotations

import argparse

from lago_acceptance import cli
from lago_acceptance.cli import Parser
from lago_acceptance.core.verdicts import UsageError


def explain_parser() -> argparse.ArgumentParser:
    """What ``explain`` takes."""
    made = Parser(
        prog="lago-acceptance explain",
        description="Prints the page of a finding: what it means, where it can be seen, and how bad it is.",
    )
    made.add_argument("id", nargs="*", metavar="ID", help="the id of a finding; without it, all are listed")
    return made


def explain(given: list[str]) -> int:
    """Print the page of an id; the exit code."""
    ids = explain_parser().parse_args(given).id
    if len(ids) > 1:
        raise UsageError("explain takes one finding id, or none to list them all")
    return cli.explain(ids[0] if ids else "")


def listing_parser() -> argparse.ArgumentParser:
    """What ``list`` takes: nothing."""
    return Parser(prog="lago-acceptance list", description="Lists the ids of all findings by phase.")


def listing(given: list[str]) -> int:
    """Print all ids; the exit code."""
    listing_parser().parse_args(given)
    return cli.explain("")
