"""The connection that all clients are tested on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lago_acceptance.clients.connection import Connection
from tests.support.patience import PATIENCE


@pytest.fixture
def connection() -> Iterator[Connection]:
    """To a host that only respx answers for."""
    made = Connection("api", "https://lago.example.test", seconds=PATIENCE)
    yield made
    made.close()
