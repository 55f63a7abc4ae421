"""The host that all tests of deploys share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def _hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list]:
    """The host that is up, as the only one of a list: it is replaced when it can't be restored."""
    from tests.support.deploy import host

    hosts = [host.bring_up(tmp_path_factory.mktemp("deployable"))]
    yield hosts
    for each in hosts:
        each.down()


@pytest.fixture
def deployable(_hosts: list):
    """A host to deploy to, shared by tests that leave it as it was."""
    return _hosts[0]


@pytest.fixture
def breakable(_hosts: list, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A host to deploy to that the test may break: files and containers are put back, or a fresh host comes up."""
    from tests.support.deploy import host

    yield _hosts[0]
    try:
        _hosts[0].restore()
    except (AssertionError, OSError, subprocess.SubprocessError):
        _hosts.pop().down()
        _hosts.append(host.bring_up(tmp_path_factory.mktemp("deployable")))
