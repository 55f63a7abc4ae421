"""Marks the root of the project for pytest, whose plugin pytest.ini names."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a run that has found another configuration file, in which nothing of the suite would work."""
    if not config.pluginmanager.hasplugin("lago_acceptance.plugin"):
        raise pytest.UsageError(
            f"the checks need this project's pytest.ini, and pytest has read {config.inipath or 'none'}: "
            "add -c pytest.ini, or use the command lago-acceptance"
        )
