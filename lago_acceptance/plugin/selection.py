"""What a run does: the gate over compose files, checks of a deployment, or no test at all (``--collect-only``)."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Collection, Generator
from typing import Any

import pytest

from lago_acceptance.core.resources import PYTEST_INI
from lago_acceptance.core.user_files import did_you_mean

GATE = pytest.StashKey[bool]()
# pytest's options that print something and run no test.
PRINTING = (
    "collectonly",
    "help",
    "version",
    "markers",
    "showfixtures",
    "show_fixtures_per_test",
    "cacheshow",
    "setupplan",
)


def asks_for_gate(expression: str) -> bool:
    """Whether ``-m`` asks for the gate or for a part of it (``gate and phase1``)."""
    words = expression.split()
    return words[:1] == ["gate"] and words[1:2] in ([], ["and"]) and "or" not in words


def asks_for_upgrade(given: Namespace) -> bool:
    """Whether the checks of an upgrade were asked for, by -m or by name: an ordinary run leaves them out."""
    named = any("suites/upgrade" in str(word) for word in given.file_or_dir or ())
    return named or not _OF_UPGRADE.isdisjoint(_WORD.findall(given.markexpr))


_OF_UPGRADE = {"upgrade", "phase8"}
# The words of an expression for -m; those before a bracket or an equals sign are of a mark's arguments.
_WORD = re.compile(r"(?<![\w.'\"])[^\W\d][\w.]*(?![\w.]*\s*=)")
# Marks of pytest's own, of which none selects anything here.
_OF_PYTEST = {
    "filterwarnings",
    "skip",
    "skipif",
    "xfail",
    "parametrize",
    "usefixtures",
    "tryfirst",
    "trylast",
}
_OPERATORS = {"and", "or", "not", "True", "False", "None"}


def unknown_mark(expression: str, known: Collection[str]) -> str:
    """One sentence about the first word of an expression for ``-m`` that is no mark, "" if there is none."""
    for word in _WORD.findall(re.sub(r"'[^']*'|\"[^\"]*\"", "''", expression)):
        if word not in known and word not in _OPERATORS:
            return f"-m {expression!r}: there is no mark {word!r}; {did_you_mean(word, known)}"
    return ""


def runs_tests(given: Namespace) -> bool:
    """Whether these options run tests; otherwise no host is contacted and no report is written."""
    return not any(getattr(given, name, None) for name in PRINTING)


def phase_of(item: pytest.Item) -> int:
    """The phase of a check, by its mark; 7 where it has none."""
    numbers = (mark.name.removeprefix("phase") for mark in item.iter_markers() if mark.name[:5] == "phase")
    return next((int(number) for number in numbers if number.isdigit()), 7)


def about(item: pytest.Item) -> str:
    """The sentence of the plan that a check belongs to: the first of its module's docstring, without "Phase 2: "."""
    said = (getattr(getattr(item, "module", None), "__doc__", None) or "").strip().partition("\n")[0]
    head, colon, rest = said.partition(": ")
    text = (
        rest
        if colon and head.lower().startswith(("phase ", "rules of phase ", "rollback", "upgrade"))
        else said
    )
    sentence = text.partition(". ")[0].removesuffix(".").replace("``", "")
    return sentence[:1].upper() + sentence[1:]


def needs_base(item: pytest.Item) -> bool:
    """Whether a check compares a compose file with ``--base``."""
    return "changed" in getattr(item, "fixturenames", ())


def gate_only(config: pytest.Config) -> bool:
    """Whether this run judges compose files and nothing else."""
    return config.stash[GATE]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Say in each report of a check what it belongs to."""
    report = yield
    report.phase, report.about = phase_of(item), about(item)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    early_config.stash[GATE] = asks_for_gate(early_config.known_args_namespace.markexpr)


def pytest_configure(config: pytest.Config) -> None:
    """Collect the suites where no path is given, also with another --rootdir or from another folder."""
    if config.args_source == pytest.Config.ArgsSource.INVOCATION_DIR:
        config.args = [str(PYTEST_INI.parent / path) for path in config.getini("testpaths")]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse ``-m smok`` before a host is looked at. Plugins have registered their marks by now."""
    marks = [re.split("[:(]", line)[0].strip() for line in session.config.getini("markers")]
    marks = [mark for mark in marks if mark not in _OF_PYTEST]
    if refused := unknown_mark(session.config.option.markexpr, marks):
        pytest.exit(refused, pytest.ExitCode.NO_TESTS_COLLECTED)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the checks of an upgrade out where nothing asks for them, and on a live host what a stack has to say of one."""
    left_out: list[pytest.Item] = []
    if not asks_for_upgrade(config.option):
        left_out += (item for item in items if item.get_closest_marker("upgrade"))
    if config.option.target == "live":
        left_out += (item for item in items if "stack_runs" in getattr(item, "fixturenames", ()))
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Rules that were picked by name, file or ``-k`` judge the compose file; no stack is started for them."""
    given = session.config.option
    if session.items and not (given.markexpr or given.target or given.hosts):
        session.config.stash[GATE] = all(item.get_closest_marker("gate") for item in session.items)
