"""``lago-acceptance report``: Allure's report in one HTML file, made of the results that the runs have left."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lago_acceptance.cli import ACCEPTED, Parser, guarded
from lago_acceptance.core import report_files
from lago_acceptance.core.private_folders import temporary
from lago_acceptance.core.resources import REPORTS
from lago_acceptance.core.run import ID
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.reports.summary import NotReadable, Summary, read

VERSION = "3.18.0"
# What it needs itself is taken as it was on this day.
DAY = "2026-11-27"
REPORT, HISTORY = "allure-report.html", "allure-history.jsonl"
# Allure's page tells Google who reads it.
OFFLINE = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'unsafe-inline' 'unsafe-eval' data: blob:\">"
)
# Runs that the report compares with.
REMEMBERED = 90
# A slow disk and a cold cache of npm's: a minute was measured.
INSTALL_SECONDS, BUILD_SECONDS = 600, 300


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m lago_acceptance.cli.report``; returns the exit code."""
    return guarded("lago-acceptance report", run, sys.argv[1:] if arguments is None else arguments)


def run(arguments: Sequence[str]) -> int:
    """Build the report and say where it is."""
    parser = Parser(
        prog="lago-acceptance report",
        description=f"Build Allure's report of the newest run of each host, as reports/{REPORT}.",
        allow_abbrev=False,
    )
    parser.add_argument("--reports", type=Path, default=REPORTS, metavar="FOLDER", help="where runs write")
    parser.add_argument(
        "--run", action="append", default=[], metavar="ID", help="of this run; may be repeated"
    )
    given = parser.parse_args(arguments)
    reports: Path = given.reports.absolute()
    runs = runs_in(reports)
    chosen = _chosen(runs, given.run, reports)
    program = installed()
    with temporary("lago-acceptance-allure-") as scratch:
        build(program, reports, runs, chosen, scratch)
    for folder, summary in chosen.items():
        print(f"{summary.host or summary.target}: run {folder.name}, {summary.verdict}")
    print(f"open {reports / REPORT}")
    return ACCEPTED


def runs_in(reports: Path) -> dict[Path, Summary]:
    """The folders of runs with Allure's results, the oldest first; each host of a run over several has a folder there."""
    found: dict[Path, Summary] = {}
    for pattern in ("*/summary.json", "*/*/summary.json"):
        for file in reports.glob(pattern):
            folder = file.parent
            if re.fullmatch(ID, folder.name) and not folder.is_symlink() and (folder / "allure").is_dir():
                # One of another version of the suite.
                with suppress(NotReadable):
                    found[folder] = read(file)
    return dict(sorted(found.items(), key=lambda item: item[0].name))


def _chosen(runs: dict[Path, Summary], ids: list[str], reports: Path) -> dict[Path, Summary]:
    for id in ids:
        if id not in {folder.name for folder in runs}:
            raise UsageError(f"no run {id} with results for Allure is in {reports}")
    if not runs:
        raise UsageError(f"no run has left results for Allure in {reports}; run `make smoke` or `make live`")
    if ids:
        return {folder: summary for folder, summary in runs.items() if folder.name in ids}
    newest = {summary.key: folder for folder, summary in runs.items()}
    return {folder: runs[folder] for folder in newest.values()}


def installed() -> Path:
    """Allure's program, installed into this user's cache first if it is missing. Unreachable where that can't be done."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lago-acceptance"
    place = cache / f"allure-{VERSION}"
    program = place / "node_modules" / ".bin" / "allure"
    npm = shutil.which("npm")
    if not shutil.which("node") or not npm:
        raise Unreachable(
            "Allure's report is built by a program for Node.js, and node and npm are not both installed here: "
            "apt-get install nodejs npm; every other report is made without them"
        )
    if program.exists():
        return program
    print(f"installing allure {VERSION} into {place} (once)", file=sys.stderr)
    report_files.make_folder(cache)
    made = Path(tempfile.mkdtemp(dir=cache))
    try:
        # Beside the scripts of packages nothing is needed that npm would run.
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", f"--before={DAY}")
        _run(
            [npm, "install", "--prefix", str(made), *options, f"allure@{VERSION}"],
            INSTALL_SECONDS,
            f"allure {VERSION} can't be installed by npm",
        )
        # Another process may have been faster.
        with suppress(OSError):
            made.rename(place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return program


def build(
    program: Path, reports: Path, runs: dict[Path, Summary], chosen: dict[Path, Summary], scratch: Path
) -> None:
    """Write the report of the chosen runs, with what Allure remembers of those before."""
    history = scratch / HISTORY
    remembered = _remembered(reports / HISTORY, {folder.name for folder in chosen})
    history.write_text("".join(remembered))
    known = set(re.findall(ID, "".join(re.findall(r'"name":"Lago: [^"]*"', "".join(remembered)))))
    last = max(folder.name for folder in chosen)
    missing = [
        each
        for each in runs
        if each not in chosen and each.name not in known and each.name < last
    ]
    for folder in missing[-REMEMBERED:]:
        _allure(program, scratch, "history", [folder], {"historyPath": str(history)})
    output = scratch / "report"
    _allure(
        program,
        scratch,
        "generate",
        list(chosen),
        {"output": str(output), "historyPath": str(history), "plugins": {"awesome": {"options": _VIEW}}},
    )
    page = next(output.rglob("index.html")).read_text("utf-8")
    report_files.write(reports / REPORT, page.replace("<head>", f"<head>{OFFLINE}", 1).encode())
    report_files.write(reports / HISTORY, history.read_bytes())


_VIEW = {
    "singleFile": True,
    "reportName": "Lago acceptance",
    "groupBy": ["epic", "feature", "story"],
    "reportLanguage": "en",
}


def _allure(program: Path, scratch: Path, command: str, runs: list[Path], more: dict[str, Any]) -> None:
    from lago_acceptance.reports.allure import CATEGORIES

    name = f"Lago: {' '.join(folder.name for folder in runs)}"
    rules = [
        {"name": name, "matchers": {"statuses": list(statuses), "message": f"^{message}$"}}
        for name, statuses, message in CATEGORIES
    ]
    config = {"name": name, "historyLimit": REMEMBERED, "categories": rules, **more}
    (scratch / "allurerc.json").write_text(json.dumps(config))
    results = [str(folder / "allure") for folder in runs]
    told = ["--config", str(scratch / "allurerc.json"), "--cwd", str(scratch)]
    named = ["--report-name", name] if command == "history" else []
    if command == "history":
        named += ["--history-path", more["historyPath"]]
        told = []
    _run(
        [str(program), command, *told, *named, *results],
        BUILD_SECONDS,
        "Allure can't build its report",
        scratch,
    )


def _remembered(file: Path, without: set[str]) -> list[str]:
    """The lines of Allure's history but for those of the runs that are shown now."""
    try:
        lines = file.read_text("utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError):
        return []
    kept = []
    for line in lines:
        with suppress(ValueError):
            if not without & set(re.findall(ID, json.loads(line)["name"])):
                kept.append(line)
    return kept


def _run(command: list[str], seconds: float, problem: str, folder: Path | None = None) -> None:
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            cwd=folder,
        )
    except subprocess.TimeoutExpired:
        raise Unreachable(f"{problem}: it took longer than {seconds:.0f} s") from None
    if ended.returncode:
        said = [line.strip() for line in (ended.stderr + ended.stdout).splitlines() if line.strip()]
        raise Unreachable(f"{problem}: {said[-1][:300] if said else f'it ended with {ended.returncode}'}")


if __name__ == "__main__":
    sys.exit(main())
