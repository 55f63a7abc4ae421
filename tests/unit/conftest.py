"""What one unit test leaves in the process must not reach the next."""

from __future__ import annotations

import pytest

from lago_acceptance.core.secrets import Redactor


@pytest.fixture(autouse=True)
def redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a redactor that knows no secret yet."""
    monkeypatch.setattr(Redactor, "shared", Redactor())
