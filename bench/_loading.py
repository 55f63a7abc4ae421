"""A pytest plugin of the live benchmark: what a whole run loads, for a run that only collects.

The first run with it writes the names of all modules that it has loaded to the file in BENCH_MODULES; a run that finds
the file loads those modules once it has collected.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from pathlib import Path

import pytest

FILE = Path(os.environ["BENCH_MODULES"])


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Load what is listed."""
    if FILE.exists():
        for name in FILE.read_text("utf-8").split():
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """List what was loaded."""
    if not FILE.exists():
        FILE.write_text("\n".join(sys.modules), "utf-8")
