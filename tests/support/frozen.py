"""What a user meets and what a change of the code's structure must leave alone, as data.

``python -m tests.support.frozen`` records it anew: only in a commit that changes behaviour on purpose.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lago_acceptance.core import registry
from tests.support import marks, suite_run
from tests.support.paths import DATA

FOLDER = DATA / "frozen"
BAD_FILE = """\
services:
  lago-api:
    image: getlago/api:latest
    privileged: true
    ports: ["3000:3000"]
    environment:
      LAGO_RSA_PRIVATE_KEY: changeme
      DATABASE_URL: postgresql://lago:changeme@lago-db:5432/lago
"""


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return suite_run.ended(*arguments, COLUMNS="100")


def collected() -> dict[str, list[str]]:
    """The tests that have each mark."""
    tests = sorted(marks.of_tests().items())
    return {mark: [test for test, has in tests if mark in has] for mark in marks.MARKS}


def finding_ids() -> list[str]:
    """The ids of all findings that the code can make: those of the register."""
    return sorted(registry.entries())


def exit_codes() -> dict[str, int]:
    """The exit codes of short runs that need neither Docker nor a host."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bad = folder / "compose.yml"
        bad.write_text(BAD_FILE)
        reports = ("--reports", str(folder / "reports"))
        runs: dict[str, tuple[str, ...]] = {
            "gate, the shipped file": ("-m", "gate"),
            "gate, a bad file": ("-m", "gate", f"--compose-file={bad}"),
            "gate, a file that is not there": ("-m", "gate", f"--compose-file={folder}/none.yml"),
            "gate, no such test": ("-m", "gate", "-k", "nothing_is_called_so"),
            "an unknown option": ("--no-such-option",),
            "explain": ("--explain", "no-clock-service"),
            "explain, an unknown id": ("--explain", "no-such-id"),
            "live without a host": ("-m", "smoke", "--target", "live"),
            "live, an address that is none": ("-m", "smoke", "--target", "live", "--hosts", "host"),
            "live, a closed port": ("-m", "smoke", "--target", "live", "--hosts", "ssh://root@127.0.0.1:9"),
        }
        return {name: _run(*arguments, *reports).returncode for name, arguments in runs.items()}


def help_text() -> list[str]:
    """The suite's own options as --help shows them."""
    groups = re.split(r"\n(?=\S)", _run("--help").stdout)
    return [
        line
        for group in groups
        if group.startswith(("the deployment under test", "the gate"))
        for line in group.splitlines()
    ]


def gate_reports() -> dict[str, Any]:
    """gate.json and gate.sarif of a file with several defects."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bad = folder / "compose.yml"
        bad.write_text(BAD_FILE)
        _run("-m", "gate", f"--compose-file={bad}", "--reports", str(folder / "reports"))
        return {
            each: json.loads((folder / "reports" / each).read_text().replace(name, "FOLDER"))
            for each in ("gate.json", "gate.sarif")
        }


VIEWS: dict[str, Callable[[], Any]] = {
    "collected": collected,
    "finding_ids": finding_ids,
    "exit_codes": exit_codes,
    "help": help_text,
    "gate_reports": gate_reports,
}


def shape(value: Any) -> Any:
    """The names and kinds in a JSON document, without its values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def recorded(view: str) -> Any:
    """What was recorded of a view."""
    return json.loads((FOLDER / f"{view}.json").read_text("utf-8"))


def main() -> None:
    """Record every view anew."""
    FOLDER.mkdir(exist_ok=True)
    for view, take in VIEWS.items():
        text = json.dumps(take(), indent=1, ensure_ascii=False)
        (FOLDER / f"{view}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
