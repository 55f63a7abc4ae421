"""Hosts whose Docker only pretends, one for each shell of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.pretended_host import SHELLS, Shell, lago_on


@pytest.fixture(params=SHELLS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    """A host without containers."""
    if shutil.which(request.param.split()[0]) is None:
        pytest.skip(f"{request.param} is not on this machine")
    return Shell(request.param, tmp_path)


@pytest.fixture
def lago(host: Shell) -> Shell:
    """A host with an API and a database, their files, a key, logs and dumps."""
    return lago_on(host)
