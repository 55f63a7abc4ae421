"""What a run shows while it waits and at its end, as a user sees it: on a terminal, in a pipe, and with --strict."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from tests.support import suite_run
from tests.support.patience import PATIENCE

CHECKS = """
import logging
import pytest
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.verdicts import Unknown

def test_seen():
    assert True

@pytest.mark.parametrize("number", range(3))
def test_unseen(number):
    raise Unknown(f"{number}: it is dark", why="it is dark", fix="light a lamp")
"""
RED = """

def test_red():
    raise Red(Finding(id="no-clock-service", problem="there is no clock", impact="no bills", fix="add one"))
"""
PLAIN_FAILURE = """

def test_without_a_finding():
    assert 1 == 2
"""
WAITING = """
import logging
import time
from lago_acceptance.core.waiting import until
from lago_acceptance.plugin import progress

progress._FIRST_SECONDS = progress._SHORT_SECONDS = 0.1

def test_first():
    assert True

def test_waits():
    logging.getLogger("lago_acceptance").info("bringing it up")
    end = time.monotonic() + 1.5
    assert until(lambda: time.monotonic() > end, 20, what="first \\x1b[31minvoice")

def test_last():
    assert True
"""


def written(folder: Path, text: str) -> str:
    file = folder / "test_of_a_user.py"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize(
    ("options", "code", "verdict"),
    [
        ((), 0, "accepted (3 not judged)"),
        (("--strict",), 1, "not accepted (3 not judged, which --strict does not accept)"),
    ],
)
def test_with_strict_what_was_not_judged_is_not_accepted(options, code, verdict, suite, tmp_path):
    ended = suite(written(tmp_path, CHECKS), *options)
    assert (ended.code, ended.summary["verdict"], ended.summary["exit_code"]) == (code, verdict, code)
    assert f"\n{verdict} (" in ended.output
    assert "\n3 not judged: it is dark: light a lamp\n" in ended.output


def test_strict_accepts_a_run_that_has_judged_everything(suite, tmp_path):
    ended = suite(written(tmp_path, CHECKS), "--strict", "-k", "test_seen")
    assert (ended.code, ended.summary["verdict"]) == (0, "accepted")


def test_a_red_run_is_not_blamed_on_strict(suite, tmp_path):
    ended = suite(written(tmp_path, CHECKS + RED), "--strict")
    assert (ended.code, ended.summary["verdict"]) == (1, "not accepted (3 not judged)")


def test_a_finding_is_printed_once(suite, tmp_path):
    ended = suite(written(tmp_path, CHECKS + RED))
    assert ended.output.count("there is no clock") == 2, "on the first line and among the causes"
    assert "\ndoes not bill: this machine; first cause: no-clock-service: there is no clock\n" in ended.output


def test_a_failure_without_a_finding_keeps_its_traceback(suite, tmp_path):
    ended = suite(written(tmp_path, CHECKS + RED + PLAIN_FAILURE))
    assert "assert 1 == 2" in ended.output and "= FAILURES =" in ended.output


# --- while it waits ---


def on_a_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """What a terminal gets from a run."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    around = suite_run.environment(TERM="xterm-256color", **environment)
    for name in ("CI", "COLUMNS", "NO_COLOR"):
        if name not in environment:
            around.pop(name, None)
    command = [each for each in suite_run.command(*arguments) if each != "--color=no"]
    with subprocess.Popen(
        command, cwd=suite_run.ROOT, env=around, stdin=theirs, stdout=theirs, stderr=theirs
    ) as run:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            parts.append(part)
        run.wait(PATIENCE)
    os.close(ours)
    return b"".join(parts).decode("utf-8", "replace")


def visible(text: str) -> str:
    """Without the sequences that move the cursor or change colours."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


def test_what_is_waited_for_begins_on_a_line_of_its_own(tmp_path):
    """The line of pytest's dots is not erased with it."""
    silent = WAITING.replace('logging.getLogger("lago_acceptance").info("bringing it up")', "")
    text = visible(on_a_terminal(80, f"--reports={tmp_path}/reports", written(tmp_path, silent)))
    assert re.search(r"\n  first", text) and re.search(r"\. *\n", text.partition("  first")[0]), text


def test_what_is_waited_for_fits_a_narrow_terminal(tmp_path):
    text = on_a_terminal(40, f"--reports={tmp_path}/reports", written(tmp_path, WAITING))
    frames = [visible(line) for line in re.split(r"[\r\n]", text)]
    lines = [line for line in frames if line.startswith("  first")]
    assert lines and max(map(len, lines)) <= 40 and lines[0].endswith("…")


def test_a_terminal_shows_what_is_waited_for_and_takes_it_away(tmp_path):
    text = on_a_terminal(80, f"--reports={tmp_path}/reports", written(tmp_path, WAITING))
    assert re.search(r"  first \\x1b\[31minvoice: not there yet, 1 of 20 s", visible(text)), text
    shown = text.rindex("of 20 s")
    assert "\x1b[2K" in text[shown:], "the line is not erased in the end"
    # What goes on afterwards begins on a line of its own, and nothing of it is lost.
    assert text.index("bringing it up") < text.index("of 20 s") and "3 passed" in text
    assert text.count("\x1b[?25h") == text.count("\x1b[?25l") == 1, "the cursor stays hidden"


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {}], ids=["no colour", "colours"])
@pytest.mark.parametrize("columns", [80, 40])
def test_the_verdict_fits_the_terminal(columns, environment, tmp_path):
    text = on_a_terminal(
        columns, f"--reports={tmp_path}/reports", written(tmp_path, CHECKS + RED), **environment
    )
    coloured = "\x1b[31m" in text or "\x1b[33m" in text
    assert coloured == (not environment)
    verdict = visible(text).partition("verdict, run")[2].splitlines()[1:-1]
    assert verdict and max(map(len, verdict)) <= columns


def test_a_pipe_gets_plain_lines(suite, tmp_path):
    ended = suite(written(tmp_path, WAITING))
    assert ended.code == 0, ended.output
    waiting = [line for line in ended.output.splitlines() if "waiting for" in line]
    assert len(waiting) == 1 and re.fullmatch(
        r"  waiting for first \\x1b\[31minvoice \(not there yet\), [01] of 20 s", waiting[0]
    )
    assert "\x1b" not in ended.output
