"""``bin/lago-facts``: the tables about Lago's releases, compared with a checkout of its source."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lago_acceptance.cli import Parser, guarded, path
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.lago_source import tables
from lago_acceptance.lago_source.checkout import Checkout
from lago_acceptance.lago_source.history import History


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m lago_acceptance.cli.lago_facts``; returns the exit code."""
    return guarded("lago-facts", run, sys.argv[1:] if arguments is None else arguments)


def run(arguments: Sequence[str]) -> int:
    """Print the rows that differ, or write the tables."""
    parser = Parser(
        prog="lago-facts",
        description="Compare the tables about Lago's releases (lago_acceptance/lago/*.tsv) with its source. Nothing of the "
        "checkout is run. Exit code: 0 no difference, 1 rows differ, 4 bad input.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "checkout",
        type=path,
        metavar="CHECKOUT",
        help="a checkout or a bare clone of Lago's API, with its tags",
    )
    parser.add_argument("--write", action="store_true", help="write the tables, too")
    given = parser.parse_args(arguments)
    history = History(Checkout(given.checkout))
    read = tables.read(history)
    found = tables.differences(read)
    for each in found:
        print(each)
    if given.write:
        tables.write(read)
    between = f"{history.all[0].tag} to {history.all[-1].tag}"
    ending = (
        "no difference"
        if not found
        else "written"
        if given.write
        else "these rows differ; --write writes them"
    )
    print(f"{len(history.all)} releases, {between}: {ending}", file=sys.stderr)
    return NOT_ACCEPTED if found else ACCEPTED


if __name__ == "__main__":
    sys.exit(main())
