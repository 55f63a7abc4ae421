"""Options of the project's own tests, and side-by-side runs of the suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from selftest import running

# Stacks wait more than they work; more than two at a time only make each other late.
SIDE_BY_SIDE = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lago")
    group.addoption("--lago-url", metavar="URL", help="hold the recordings against this Lago instead of the stand-in")
    group.addoption("--lago-api-key-file", metavar="FILE", help="a file that holds its API key")


Runs = Callable[[str], running.Result]


@pytest.fixture(scope="session")
def executor() -> Iterator[ThreadPoolExecutor]:
    """Runs of the suite, side by side: two at once must not meet."""
    made = ThreadPoolExecutor(SIDE_BY_SIDE)
    yield made
    made.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def broken_runs(request: pytest.FixtureRequest, executor: ThreadPoolExecutor, tmp_path_factory) -> Runs:
    """Call it with the name of a broken deployment (deployments.py): the result of a run against it.

    The runs of all tests that were asked for start at once, so that no test waits for another's.
    """
    from selftest import deployments

    def one(name: str) -> running.Result:
        folder = tmp_path_factory.mktemp(name.replace("_", "-"))
        edit = getattr(deployments, name) if name != "as_shipped" else None
        marks = "smoke and phase1" if name.startswith("pem_") else "smoke and (phase1 or phase2 or phase3)"
        return running.run(folder / "reports", "-m", marks, *deployments.write(folder / "deployment", edit))

    wanted = dict.fromkeys(mark.args[0] for item in request.session.items for mark in item.iter_markers("deployment"))
    futures: dict[str, Future] = {name: executor.submit(one, name) for name in wanted}
    return lambda name: futures[name].result()


@pytest.fixture
def broken(request: pytest.FixtureRequest, broken_runs: Runs) -> running.Result:
    """The result of the run against the deployment that the test's mark ``deployment(name)`` names."""
    return broken_runs(request.node.get_closest_marker("deployment").args[0])


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., running.Result]:
    """Call it with options: the result of one run of the suite."""
    return lambda *arguments, **environment: running.run(tmp_path / "reports", *arguments, **environment)
