"""``lago-acceptance explain`` and ``list``: the register of finding ids."""

from __future__ import annotations

from lago_acceptance import cli
from lago_acceptance.core.verdicts import UsageError


def explain(given: list[str]) -> int:
    """Print the page of an id; the exit code."""
    parser = cli.Parser(
        prog="lago-acceptance explain",
        description="Prints the page on a finding: what it means, where it can be seen, and how bad it is.",
    )
    parser.add_argument("id", nargs="*", metavar="ID", help="the id of a finding; without it, all are listed")
    ids = parser.parse_args(given).id
    if len(ids) > 1:
        raise UsageError("explain takes one finding id, or none to list them all")
    return cli.explain(ids[0] if ids else "")


def listing(given: list[str]) -> int:
    """Print all ids; the exit code."""
    cli.Parser(prog="lago-acceptance list", description="Lists the ids of all findings by phase.").parse_args(
        given
    )
    return cli.explain("")
