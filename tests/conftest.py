"""Options of the project's own tests, and runs of the suite that several tests look at."""

from __future__ import annotations

import configparser
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import suite_run, workers
from tests.support.broken_runs import BrokenRuns
from tests.support.paths import ROOT


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lago")
    group.addoption(
        "--lago-url", metavar="URL", help="hold the recordings against this Lago instead of the stand-in"
    )
    group.addoption("--lago-api-key-file", metavar="FILE", help="a file that holds its API key")


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what runs in its background without SIGINT, nohup without SIGHUP, and every child inherits that.
    handler = workers.interrupt_once if workers.is_worker(config) else signal.default_int_handler
    signal.signal(signal.SIGINT, handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Checks of the suite are called here as functions too, with the marks of the suite.
    suite = configparser.ConfigParser()
    suite.read(ROOT / "pytest.ini")
    for mark in suite["pytest"]["markers"].strip().splitlines():
        config.addinivalue_line("markers", mark)


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
