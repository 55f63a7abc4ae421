"""lago-acceptance, with a part added to the program that deploys send to their host: see moments.ahead_of."""

from __future__ import annotations

import os

from lago_acceptance.cli.suite import main
from lago_acceptance.deploy import session

# The text of the part.
VARIABLE = "TESTS_PART_OF_HOST_PROGRAM"
# Read before the others.
NAME = "a.part.sh"


def _add() -> None:
    whole, text = session._program, os.environ[VARIABLE]
    session._program = lambda: {**whole(), NAME: text}


if __name__ == "__main__":
    _add()
    raise SystemExit(main())
