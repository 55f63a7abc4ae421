"""The live host that all tests of the live target share: one Lago, one ssh server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaving a swarm breaks what runs meanwhile: its tests come before the Lago that the others share."""
    items.sort(key=lambda item: item.path.name != "test_swarm.py")


@pytest.fixture(scope="session")
def live_lago(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A healthy Lago on this machine's Docker, behind ssh on loopback. A test that breaks it repairs it."""
    from tests.support.live import lago

    up = lago.bring_up(tmp_path_factory.mktemp("host"))
    yield up
    lago.take_down(up)
