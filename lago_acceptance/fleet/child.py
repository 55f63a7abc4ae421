"""What a process does that was forked for one host."""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from collections.abc import Sequence

from lago_acceptance.core.exit_codes import INTERNAL_ERROR


def run(words: Sequence[str], output: str) -> None:
    """Run a module with options, as ``python -m`` does; what it prints goes to a file that is there."""
    # Its group is ended with it, and Ctrl-C in the terminal is its parent's.
    os.setsid()
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)
    sys.argv = list(words)
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    except Exception:  # noqa: BLE001
        # Python's own exit code would mean that the host is not accepted.
        traceback.print_exc()
        raise SystemExit(INTERNAL_ERROR) from None
