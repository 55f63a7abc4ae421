"""Runs the benchmarks: all of them, or those that are named (``make bench ARGS=stack``)."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main(names: list[str]) -> int:
    parts = [part.name for part in pkgutil.iter_modules(bench.__path__) if not part.name.startswith("_")]
    if unknown := [name for name in names if name not in parts]:
        print(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(parts)}", file=sys.stderr)
        return 4
    for name in names or parts:
        print(f"== {name}", flush=True)
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
