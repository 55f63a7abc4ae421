"""Runs the benchmarks that are named (``make bench ARGS=stack``), or all that take minutes and not an hour."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bench

AN_HOUR = ("kills",)


def parts() -> list[str]:
    """The names of all benchmarks: modules whose ``main`` takes a folder to work in."""
    return [part.name for part in pkgutil.iter_modules(bench.__path__) if not part.name.startswith("_")]


def main(names: list[str]) -> int:
    """Run those that are named, each once, also after one that fails; the exit code is 1 then."""
    there = parts()
    if {"-h", "--help"}.intersection(names):
        print(f"{__doc__}\n\nusage: python -m bench [NAME...]\nnames: {', '.join(there)}")
        print(f"Without a name all run but {', '.join(AN_HOUR)}, which takes an hour.")
        return 0
    if unknown := [name for name in names if name not in there]:
        wrong = ", ".join(map(repr, unknown))
        print(f"there is no benchmark {wrong}; there are: {', '.join(there)}", file=sys.stderr)
        return 4
    failed = False
    # One folder for all, removed at the end: for minutes after many files were deleted, ext4 creates new ones slowly.
    with tempfile.TemporaryDirectory() as folder:
        for name in dict.fromkeys(names or [each for each in there if each not in AN_HOUR]):
            print(f"== {name}", flush=True)
            mine = Path(folder).resolve() / name
            mine.mkdir()
            try:
                importlib.import_module(f"bench.{name}").main(mine)
            except (SystemExit, subprocess.SubprocessError) as error:
                print(f"{name} could not be measured: {error}", file=sys.stderr, flush=True)
                failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
