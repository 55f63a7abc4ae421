"""The pytest plugin of the suite, named by pytest.ini: the only room that imports pytest.

Its modules hold the hooks. Only the fixtures that a run needs are loaded: the gate needs few of them.
"""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from lago_acceptance.core import resources
from lago_acceptance.plugin.selection import asks_for_gate

MODULES = (
    "options",
    "refusals",
    "selection",
    "interrupts",
    "outcomes",
    "printed",
    "written",
    "gate",
    "history",
    "waivers",
    "reporting",
    "progress",
    "early_start",
    "deploy",
    "many_hosts",
)
GATE_FIXTURES = ("settings", "judge", "gate")
ALLURE = "allure_pytest.plugin"


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the modules of this room; pytest needs to know their options now."""
    for name in MODULES:
        pluginmanager.import_plugin(f"{__name__}.{name}")


@pytest.hookimpl(trylast=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Load the fixtures, and Allure's plugin if one of its options is given."""
    package = resources.FIXTURES
    names: tuple[str, ...] = GATE_FIXTURES
    if not asks_for_gate(early_config.known_args_namespace.markexpr):
        names = tuple(
            module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)
        )
    for name in names:
        early_config.pluginmanager.import_plugin(f"{package}.{name}")
    if any(word.startswith("--allure") for word in args):
        early_config.pluginmanager.import_plugin(ALLURE)
