"""Shows the progress of what takes long: pulling and building images, bringing a deployment up."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import redact
from lago_acceptance.plugin.outcomes import terminal_of
from lago_acceptance.plugin.printed import safe_record


class Progress(logging.Handler):
    """Writes what the library logs to the terminal, one line each, also while pytest captures output."""

    def __init__(self, config: pytest.Config):
        super().__init__(logging.INFO)
        self._terminal = terminal_of(config)
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")

    def emit(self, record: logging.LogRecord) -> None:
        with self._capture.global_and_fixture_disabled():
            self._terminal.ensure_newline()
            self._terminal.write_line(f"  {one_line(redact(record.getMessage()))}")


class Redacting(logging.Filter):
    """Takes secrets out of what pytest logs live or to a file; reports are redacted as a whole."""

    def filter(self, record: logging.LogRecord) -> bool:
        safe_record(record)
        return True


def pytest_load_initial_conftests() -> None:
    # What is logged before a run begins goes to Python's own handler.
    if logging.lastResort:
        logging.lastResort.addFilter(Redacting())


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    if pytests := config.pluginmanager.get_plugin("logging-plugin"):
        for handler in (pytests.log_cli_handler, pytests.log_file_handler):
            handler.addFilter(Redacting())
        if pytests._log_cli_enabled():
            return
    log, progress = logging.getLogger("lago_acceptance"), Progress(config)
    log.setLevel(logging.INFO)
    # Printed here, so not again as the "captured log" of a check that fails.
    log.propagate = False
    log.addHandler(progress)

    def restore() -> None:
        log.removeHandler(progress)
        log.propagate = True

    config.add_cleanup(restore)
