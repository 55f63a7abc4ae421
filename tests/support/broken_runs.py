"""Runs of the suite against broken deployments, shared by the tests that look at them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import broken_deployments, suite_run

if TYPE_CHECKING:
    from tests.support.live.lago import LiveLago


class BrokenRuns:
    """Runs of the suite against the broken deployments of broken_deployments.py, by name. Each is made once."""

    def __init__(self, folders: pytest.TempPathFactory):
        self._folders = folders
        self._results: dict[str, suite_run.Result] = {}

    def __call__(self, name: str) -> suite_run.Result:
        """The result of a run against one."""
        if name not in self._results:
            self._results[name] = self._run(name, self._folders.mktemp(name.replace("_", "-")))
        return self._results[name]

    @contextlib.contextmanager
    def kept(self, name: str) -> Iterator[tuple[suite_run.Result, LiveLago]]:
        """The same with the deployment still up, as a live host."""
        from tests.support.live import lago

        folder = self._folders.mktemp(name.replace("_", "-"))
        result = self._run(name, folder, "--keep", TMPDIR=str(folder))
        with lago.kept_by(result, folder) as up:
            yield result, up
        self._results.setdefault(name, result)

    @staticmethod
    def marks(name: str) -> str:
        """The marks of the checks that a deployment is judged by: a key that can't be loaded keeps the others blocked, and
        what the API answers is seen by gateway and plans as well."""
        if name in ("api_with_another_password", "api_off_the_proxys_network"):
            return "smoke"
        return "smoke and phase1" if name.startswith("pem_") else "smoke and (phase1 or phase2 or phase3)"

    def _run(self, name: str, folder: Path, *options: str, **environment: str) -> suite_run.Result:
        edit = getattr(broken_deployments, name) if name != "as_shipped" else None
        written = broken_deployments.write(folder / "deployment", edit)
        return suite_run.run(folder / "reports", "-m", self.marks(name), *written, *options, **environment)
