"""Options and plugins of pytest that can't work with this suite, each refused in one sentence; docs/pytest.md says why."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lago_acceptance.core import report_files
from lago_acceptance.core.resources import PYTEST_INI
from lago_acceptance.plugin.written import FAILED

TESTINFRA = ("testinfra.plugin", "pytest11.testinfra")
SPREAD = re.compile(r"(-n|--numprocesses)(=?\d+|=?auto|=?logical)?")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    # Refused before it is loaded: that would end in a traceback of argparse.
    given = getattr(pluginmanager.get_plugin("pytestconfig"), "known_args_namespace", None)
    plugins = {*(given.plugins if given else ()), *os.environ.get("PYTEST_PLUGINS", "").split(",")}
    if plugins.intersection(TESTINFRA):
        raise pytest.UsageError(
            "testinfra's pytest plugin can't be loaded beside this suite, since both define --hosts: leave out "
            "-p testinfra.plugin (the suite uses testinfra's ssh backend without it)"
        )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    if refused := _refused(early_config, args):
        raise pytest.UsageError(refused)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Leave out a report of a plugin's own that can't be written: it would end the run in a traceback."""
    for option, at_once in (("allure_report_dir", report_files.make_folder), ("log_file", _appendable)):
        if given := getattr(config.option, option, None):
            try:
                at_once(Path(given).absolute())
            except report_files.NotWritten as error:
                config.stash.setdefault(FAILED, []).append(str(error))
                setattr(config.option, option, None)


def _appendable(file: Path) -> None:
    report_files.make_folder(file.parent)
    with report_files.writing(file, "choose another file with --log-file"), file.open("ab"):
        pass


def _refused(config: pytest.Config, args: list[str]) -> str:
    given = config.known_args_namespace
    if not config.inipath or config.inipath.resolve() != PYTEST_INI:
        return (
            f"this suite runs with its own {PYTEST_INI}, and pytest has read {config.inipath or 'none'}: leave out "
            "-c, start pytest in the folder of that file, and give settings of your own with -o"
        )
    if getattr(given, "numprocesses", None) or getattr(given, "tx", None) or any(map(SPREAD.fullmatch, args)):
        return (
            "-n does not help here: all checks share the facts of one deployment, read once, and the gate takes less "
            "time than starting more processes would; leave out -n"
        )
    if files := [word for word in given.file_or_dir if word.endswith((".yml", ".yaml"))]:
        return f"{files[0]} is not a test: give a compose file with --compose-file {files[0]}"
    if given.debug or os.environ.get("PYTEST_DEBUG"):
        return (
            "--debug (or the variable PYTEST_DEBUG) writes down every value that passes through pytest, passwords and "
            "keys too: leave it out; --log-cli-level=DEBUG shows what the suite does, without secrets"
        )
    if config.pluginmanager.is_blocked("terminal"):
        return (
            "-p no:terminal would run the checks without printing a verdict: leave it out, and send the output to "
            "/dev/null if only the exit code and the reports matter"
        )
    return ""
