"""Shows the progress of what takes long: pulling and building images, bringing a deployment up, waiting."""

from __future__ import annotations

import logging
import os
import time
from threading import RLock, Timer, current_thread, main_thread
from typing import TYPE_CHECKING, Any, TextIO

import pytest

from lago_acceptance.core.awaited import Board, Wait
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import redact
from lago_acceptance.plugin.outcomes import terminal_of
from lago_acceptance.plugin.printed import safe_record

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

# What is there within this is not worth a line.
_SHORT_SECONDS = 1.0
# The first line where lines can't change in place, and the time between two.
_FIRST_SECONDS, _PLAIN_SECONDS = 5.0, 15.0


class Progress(logging.Handler):
    """Writes what the library logs to the terminal, one line each, also while pytest captures output; and what is being
    waited for: lines that change in place on a terminal, now and then a line elsewhere.
    """

    def __init__(self, config: pytest.Config, board: Board):
        super().__init__(logging.INFO)
        self._terminal = terminal_of(config)
        self._capture: Any = config.pluginmanager.get_plugin("capturemanager")
        self._board, self._guard = board, RLock()
        self._screen = _screen_of(self._terminal)
        self._live: Live | None = None
        self._later: Timer | None = None
        self._told = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        with self._guard:
            self._print(f"  {one_line(redact(record.getMessage()))}")

    def close(self) -> None:
        with self._guard:
            self._end()
            if self._later:
                self._later.cancel()
            if self._screen:
                self._screen.close()
                self._screen = None
        super().close()

    def show(self) -> None:
        """Show what is being waited for now."""
        with self._guard:
            waits = [each for each in self._board.waits if each.holds_everything_up]
            if not waits:
                self._end()
            elif self._screen and max(each.age for each in waits) < _SHORT_SECONDS:
                self._look_again()
            elif self._screen:
                self._begin(self._screen)
            elif max(each.age for each in waits) < _FIRST_SECONDS:
                return
            # pytest's capture is the main thread's: another one must not stop and start it.
            elif current_thread() is main_thread() and time.monotonic() - self._told >= _PLAIN_SECONDS:
                self._told = time.monotonic()
                for wait in self._board.waits:
                    missing = ", ".join(f"{name} ({state})" for name, state in wait.states.items())
                    self._print(f"  waiting for {_timed(missing, wait)}")

    def _look_again(self) -> None:
        """Whoever waits may not look in between."""
        if self._later is None:
            self._later = Timer(_SHORT_SECONDS, self._show_later)
            self._later.daemon = True
            self._later.start()

    def _show_later(self) -> None:
        with self._guard:
            self._later = None
            self.show()

    def _print(self, line: str) -> None:
        if self._live:
            from rich.text import Text

            self._live.console.print(Text(line), soft_wrap=True)
            return
        with self._capture.global_and_fixture_disabled():
            self._terminal.ensure_newline()
            self._terminal.write_line(line)
            # Before lines that change in place, which don't take this way.
            self._terminal.flush()

    def _begin(self, screen: TextIO) -> None:
        if self._live:
            return
        from rich.console import Console
        from rich.live import Live

        if self._terminal.currentfspath:
            # As pytest's own ensure_newline, which would write it where output is captured.
            self._terminal.currentfspath = None
            screen.write("\n")
        # Rich would ask the streams that pytest has captured.
        width = os.get_terminal_size(screen.fileno()).columns or None
        console = Console(
            file=screen, width=width, force_terminal=True, highlight=False, markup=False, emoji=False
        )
        self._live = Live(
            get_renderable=self._shown,
            console=console,
            refresh_per_second=2,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start(refresh=True)

    def _shown(self) -> Text:
        from rich.text import Text

        lines = [
            f"  {_timed(f'{name}: {state}', wait)}"
            for wait in self._board.waits
            for name, state in wait.states.items()
        ]
        return Text("\n".join(lines), no_wrap=True, overflow="ellipsis")

    def _end(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None


def _timed(text: str, wait: Wait) -> str:
    """A line with how long it has taken, and may take."""
    return one_line(redact(f"{text}, {wait.age:.0f} of {wait.seconds:.0f} s"))


def _screen_of(terminal: Any) -> TextIO | None:
    """The terminal itself, which pytest's capture doesn't take away; None where output goes elsewhere, or can't change."""
    if not terminal.isatty or os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("CI"):
        return None
    try:
        return open(os.dup(terminal._tw._file.fileno()), "w", encoding="utf-8", errors="replace")
    except OSError:
        return None


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
    board, progress = Board.shared, Progress(config, Board.shared)
    board.on_change = progress.show

    def end() -> None:
        board.on_change = None
        progress.close()

    config.add_cleanup(end)
    if pytests := config.pluginmanager.get_plugin("logging-plugin"):
        for handler in (pytests.log_cli_handler, pytests.log_file_handler):
            handler.addFilter(Redacting())
        if pytests._log_cli_enabled():
            return
    log = logging.getLogger("lago_acceptance")
    log.setLevel(logging.INFO)
    # Printed here, so not again as the "captured log" of a check that fails.
    log.propagate = False
    log.addHandler(progress)

    def restore() -> None:
        log.removeHandler(progress)
        log.propagate = True

    config.add_cleanup(restore)
