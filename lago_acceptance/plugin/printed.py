"""What pytest prints of checks, crashes and warnings: without secrets, without variables, and harmless for terminals.

Tracebacks show no variable, whatever the options: they hold environments, headers and keys.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from itertools import groupby
from typing import Any

import pytest

from lago_acceptance.core.printable import printable
from lago_acceptance.core.secrets import redact


def safe(text: str) -> str:
    """The text as it may be printed: redacted, and with nothing in it that a terminal or a CI server acts on."""
    return printable(redact(text))


def safe_traceback(shown: Any) -> str:
    """pytest's account of an exception as text, without the variables and arguments that it would show."""
    for traceback in _tracebacks(shown):
        for entry in traceback.reprentries:
            if hasattr(entry, "reprlocals"):
                entry.reprlocals = entry.reprfuncargs = None
            entry.lines = _without_secrets(entry.lines)
    return safe(str(shown))


def _without_secrets(lines: list[str]) -> list[str]:
    """An entry's lines without secrets that are broken over lines of its message, before each of which pytest puts an E."""
    cleaned: list[str] = []
    for marked, group in groupby(lines, lambda line: line.startswith("E ")):
        mark = "E " if marked else ""
        text = "\n".join(line.removeprefix(mark) for line in group)
        cleaned += [f"{mark}{line}" for line in redact(text).split("\n")]
    return cleaned


def _tracebacks(shown: Any) -> list[Any]:
    chain = getattr(shown, "chain", None)
    found = [part[0] for part in chain] if chain else [getattr(shown, "reprtraceback", None)]
    return [each for each in found if hasattr(each, "reprentries")]


def safe_record(record: logging.LogRecord) -> None:
    """Make a record of a log safe to print, its traceback included."""
    record.msg, record.args = safe(record.getMessage()), None
    if record.exc_info:
        record.exc_text = safe(logging.Formatter().formatException(record.exc_info))
        record.exc_info = None
    if record.stack_info:
        record.stack_info = safe(record.stack_info)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say so where an option asks for variables."""
    return (
        "--showlocals shows no variables here: they hold passwords and keys"
        if config.option.showlocals
        else None
    )


# The innermost wrapper: Allure's plugin and others see reports that are safe already.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """A check that has failed or crashed."""
    report = yield
    if report.failed:
        report.longrepr = safe_traceback(report.longrepr)
    report.sections = [(title, safe(text)) for title, text in report.sections]
    if call.excinfo:
        call.excinfo = _safe_exception(call.excinfo)
    return report


def _safe_exception(raised: pytest.ExceptionInfo[BaseException]) -> pytest.ExceptionInfo[BaseException]:
    """The exception with a safe message, if its own is not."""
    message, kind = str(raised.value), type(raised.value)
    if (text := safe(message)) == message:
        return raised
    alike: Any = type(kind.__name__, (kind,), {"__module__": kind.__module__, "__str__": lambda _: text})
    return pytest.ExceptionInfo.from_exception(alike.__new__(alike).with_traceback(raised.tb))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    """A module that can't be imported."""
    report = yield
    if report.failed:
        report.longrepr = safe_traceback(report.longrepr)
    report.sections = [(title, safe(text)) for title, text in report.sections]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any) -> None:
    """A crash outside of checks. pytest prints each entry of its traceback after this."""
    lines = safe_traceback(excrepr).splitlines()
    for traceback in _tracebacks(excrepr):
        traceback.reprentries, traceback.extraline = [], None
    last = _tracebacks(excrepr)[-1]
    last.reprentries = [_Lines(lines)]
    if getattr(excrepr, "chain", None):
        excrepr.chain = [(last, None, None)]


class _Lines:
    """An entry of a traceback that is text already."""

    style = "native"

    def __init__(self, lines: list[str]):
        self._lines = lines

    def toterminal(self, writer: Any) -> None:
        """Write it as pytest writes its own entries."""
        writer.write("\n".join(self._lines) + "\n")


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """The summary of warnings quotes what ended a thread, with its traceback."""
    warning_message.message = UserWarning(safe(str(warning_message.message)))
