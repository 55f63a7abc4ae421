"""Runs the suite as a user would: in a process of its own, with options, and reads what it reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.paths import ROOT

# For a run on a machine that does other things too; alone it takes a minute.
DEADLINE = 900


@dataclass(frozen=True)
class Result:
    """How a run ended: its exit code, what it printed, and its summary.json ({} where it wrote none)."""

    code: int
    output: str
    seconds: float
    summary: dict = field(repr=False)
    reports: Path | None = None

    def checks(self, outcome: str, phase: int | None = None) -> list[str]:
        """The names of checks that ended so, without their path."""
        return [
            check["name"].rpartition("::")[2]
            for check in self.summary.get("checks", ())
            if check["outcome"] == outcome and phase in (None, check["phase"])
        ]

    def red(self, phase: int | None = None) -> set[str]:
        """The ids of the findings that turned checks red."""
        return {
            finding["id"]
            for check in self.summary.get("checks", ())
            if check["outcome"] == "failed" and phase in (None, check["phase"])
            for finding in check.get("findings", ())
            if finding.get("severity", "error") == "error"
        }

    def finding(self, id: str) -> dict:
        """The first finding of an id."""
        return next(
            finding
            for check in self.summary["checks"]
            for finding in check.get("findings", ())
            if finding["id"] == id
        )


def command(*arguments: str) -> list[str]:
    """The command of a run."""
    return [sys.executable, "-m", "pytest", "--color=no", *arguments]


def environment(**extra: str) -> dict[str, str]:
    """The environment of a run: this process's, without what pytest left in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | extra


def ended(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """A run that has ended, with what it printed on both streams."""
    return subprocess.run(
        command(*arguments),
        check=False,
        cwd=ROOT,
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def run(reports: Path, *arguments: str, **extra: str) -> Result:
    """Run the suite with these options and report into a folder."""
    started = time.monotonic()
    ended = subprocess.run(
        command("--reports", str(reports), *arguments),
        check=False,
        cwd=ROOT,
        env=environment(**extra),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
    )
    return result_of(ended.returncode, ended.stdout, time.monotonic() - started, reports)


def result_of(code: int, output: str, seconds: float, reports: Path) -> Result:
    """The result of a run that has ended."""
    latest = reports / "latest"
    summary = latest / "summary.json"
    return Result(
        code,
        output,
        seconds,
        json.loads(summary.read_text()) if summary.exists() else {},
        latest.resolve() if latest.exists() else None,
    )


def assert_refused(result: Result, code: int, *words: str) -> None:
    """Assert that a run ended with one sentence, and not with a traceback."""
    assert result.code == code, result.output[-2000:]
    assert "Traceback" not in result.output and "INTERNALERROR" not in result.output
    said = [line for line in result.output.splitlines() if all(word in line for word in words)]
    assert said, f"no line holds {words}: {result.output[-2000:]}"
