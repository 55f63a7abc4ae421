"""Hundreds of short runs: a process that has imported the suite is forked for each, so that none waits for imports.

Every run is a process of its own, with its own arguments, environment and folder, and ends as it would alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

# Of one run, on a machine that does other things too.
SECONDS = 60
IMPORTED = (
    "bench.__main__",
    "lago_acceptance.cli.suite",
    "lago_acceptance.gate.engine",
    "lago_acceptance.targets.live",
)


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code (negative for a signal), and what it printed on both streams."""

    code: int
    output: str


class Runs:
    """Starts runs, one after the other."""

    def __init__(self, server: subprocess.Popen[str]):
        self._server = server

    def __call__(
        self,
        program: str,
        *arguments: str,
        folder: Path = ROOT,
        environment: Mapping[str, str | None] | None = None,
    ) -> Ended:
        """A run of ``pytest``, ``lago-acceptance``, ``lago-gate`` or ``bench`` that has ended.

        ``environment`` adds to this process's own, and takes away what is None.
        """
        request = {
            "program": program,
            "arguments": arguments,
            "folder": str(folder),
            "environment": dict(environment or {}),
        }
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return Ended(**json.loads(self._server.stdout.readline()))


@contextlib.contextmanager
def started() -> Iterator[Runs]:
    """The process that is forked, until the block ends."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "GITHUB"))
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.forked_runs"],
        cwd=ROOT,
        env=inherited,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            yield Runs(server)
        finally:
            assert server.stdin
            server.stdin.close()


def _main() -> None:
    import importlib

    # Not the plugin: pytest itself imports that.
    for name in ("_pytest.terminal", "_pytest.junitxml", *IMPORTED):
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_ended(json.loads(line))), flush=True)


def _ended(request: dict) -> dict:
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            _become(request, output.fileno())
        code = _waited_for(child)
        output.seek(0)
        return {"code": code, "output": output.read(10**7).decode("utf-8", "replace")}


def _waited_for(child: int) -> int:
    def too_long(*_: object) -> None:
        os.kill(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(SECONDS)
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        signal.alarm(0)


def _become(request: dict, output: int) -> None:
    code = 70
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(request["folder"])
        for name, value in request["environment"].items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        code = _program(request["program"], request["arguments"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _program(program: str, arguments: list[str]) -> int:
    sys.argv = [str(Path(sys.prefix) / "bin" / program), *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    if program == "pytest":
        import pytest

        return int(pytest.main(arguments))
    if program == "bench":
        from bench.__main__ import main

        return main(arguments)
    from lago_acceptance.cli import gate, suite

    return (gate if program == "lago-gate" else suite).main(arguments)


if __name__ == "__main__":
    _main()
