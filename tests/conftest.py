"""Options of the project's own tests, and runs of the suite that several tests look at."""

from __future__ import annotations

import configparser
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import suite_run
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from tests.support.live.lago import LiveLago


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lago")
    group.addoption(
        "--lago-url", metavar="URL", help="hold the recordings against this Lago instead of the stand-in"
    )
    group.addoption("--lago-api-key-file", metavar="FILE", help="a file that holds its API key")


def pytest_configure(config: pytest.Config) -> None:
    # Checks of the suite are called here as functions too, with the marks of the suite.
    suite = configparser.ConfigParser()
    suite.read(ROOT / "pytest.ini")
    for mark in suite["pytest"]["markers"].strip().splitlines():
        config.addinivalue_line("markers", mark)


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
        """The marks of the checks that a deployment is judged by: a key that can't be loaded keeps the others blocked."""
        return "smoke and phase1" if name.startswith("pem_") else "smoke and (phase1 or phase2 or phase3)"

    def _run(self, name: str, folder: Path, *options: str, **environment: str) -> suite_run.Result:
        from tests.support import broken_deployments

        edit = getattr(broken_deployments, name) if name != "as_shipped" else None
        written = broken_deployments.write(folder / "deployment", edit)
        return suite_run.run(folder / "reports", "-m", self.marks(name), *written, *options, **environment)


@pytest.fixture(scope="session")
def broken_runs(tmp_path_factory: pytest.TempPathFactory) -> BrokenRuns:
    """Runs against broken deployments, shared by all tests that look at them."""
    return BrokenRuns(tmp_path_factory)


@pytest.fixture
def broken(request: pytest.FixtureRequest, broken_runs: BrokenRuns) -> suite_run.Result:
    """The result of the run against the deployment that the test's mark ``deployment(name)`` names."""
    return broken_runs(request.node.get_closest_marker("deployment").args[0])


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., suite_run.Result]:
    """Call it with options: the result of one run of the suite."""
    return lambda *arguments, **environment: suite_run.run(tmp_path / "reports", *arguments, **environment)


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """Call it to start an ssh server on loopback; it takes what live.sshd.start takes."""
    from tests.support.live import sshd

    started = []

    def start(**how):
        started.append(sshd.start(tmp_path_factory.mktemp("ssh") / "server", **how))
        return started[-1]

    yield start
    for server in started:
        server.stop()
