"""The live host that all tests of the live target share: one Lago, one ssh server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package")
def live_lago(tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A healthy Lago on this machine's Docker, behind ssh on loopback. A test that breaks it repairs it."""
    from tests.support.live import lago

    up = lago.bring_up(tmp_path_factory.mktemp("host"))
    yield up
    lago.take_down(up)
