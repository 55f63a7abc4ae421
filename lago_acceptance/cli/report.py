"""``lago-acceptance report``: Allure's report in one HTML file, made of the results that the runs have left."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lago_acceptance.cli import Parser, guarded, path
from lago_acceptance.core import report_files
from lago_acceptance.core.cache import cache_folder
from lago_acceptance.core.exit_codes import ACCEPTED
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
INSTALL_SECONDS, BUILD_SECONDS = 600.0, 300.0
_NOT_BUILT = "Allure can't build its report"


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m lago_acceptance.cli.report``; returns the exit code."""
    return guarded("lago-acceptance report", run, sys.argv[1:] if arguments is None else arguments)


def run(arguments: Sequence[str]) -> int:
    """Build the report and say where it is."""
    parser = Parser(
        prog="lago-acceptance report",
        description=f"Build Allure's report from the newest run of each host, as reports/{REPORT}.",
        allow_abbrev=False,
    )
    parser.add_argument("--reports", type=path, default=REPORTS, metavar="FOLDER", help="where runs write")
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
        raise UsageError(f"no run in {reports} has results for Allure; run `make smoke` or `make live`")
    if ids:
        return {folder: summary for folder, summary in runs.items() if folder.name in ids}
    newest = {summary.key: folder for folder, summary in runs.items()}
    return {folder: runs[folder] for folder in newest.values()}


def installed() -> Path:
    """Allure's program, installed into this user's cache first if it is missing. Unreachable where that can't be done."""
    cache = cache_folder()
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
    made = Path(tempfile.mkdtemp(dir=cache))
    try:
        # Beside the scripts of packages nothing is needed that npm would run.
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", f"--before={DAY}")
        _run(
            [npm, "install", "--prefix", made, *options, f"allure@{VERSION}"],
            made,
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
    remembered = _remembered(reports / HISTORY)
    # Not of themselves, where the report is built again.
    names = {folder.name for folder in chosen}
    lines = [line for line, ids in remembered if not ids & names]
    known = {id for _, ids in remembered for id in ids} | names
    history = scratch / HISTORY
    history.write_text("".join(lines), "utf-8")
    told = ["--history-path", str(history), "--history-limit", str(REMEMBERED), "--report-name"]
    for folder in [each for each in runs if each.name not in known and each.name < max(names)][-REMEMBERED:]:
        _run([program, "history", *told, _named({folder: runs[folder]}), folder / "allure"], scratch)
    output, config = scratch / "report", scratch / "allurerc.json"
    config.write_text(json.dumps(_config(_named(chosen), output, history)), "utf-8")
    _run(
        [program, "generate", "--config", config, "--cwd", scratch, *(each / "allure" for each in chosen)],
        scratch,
    )
    page = next((each.read_text("utf-8") for each in output.rglob("index.html")), "")
    if "<head>" not in page:
        raise Unreachable(f"{_NOT_BUILT}: it left no page")
    report_files.write(reports / REPORT, page.replace("<head>", f"<head>{OFFLINE}", 1).encode())
    report_files.write(reports / HISTORY, history.read_bytes())


def _named(runs: dict[Path, Summary]) -> str:
    """The report's name, which Allure's history keeps: what it is of, with the ids of its runs."""
    ids = ", ".join(folder.name for folder in runs)
    if len(runs) > 1:
        return f"Lago on {len(runs)} hosts, runs {ids}"
    (summary,) = runs.values()
    return f"Lago on {summary.key or summary.target}: {summary.billing}, run {ids}"


def _config(name: str, output: Path, history: Path) -> dict[str, Any]:
    from lago_acceptance.reports.allure import CATEGORIES

    view = {"singleFile": True, "reportName": name, "groupBy": ["epic", "feature", "story"]}
    return {
        "name": name,
        "output": str(output),
        "historyPath": str(history),
        "historyLimit": REMEMBERED,
        "categories": [
            {"name": called, "matchers": {"statuses": list(statuses), "message": f"^{message}$"}}
            for called, statuses, message in CATEGORIES
        ],
        "plugins": {"awesome": {"options": view}},
    }


def _remembered(file: Path) -> list[tuple[str, set[str]]]:
    """The lines of Allure's history, each with the runs that it is of. What is damaged is left out."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    kept = []
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            kept.append((f"{line}\n", set(re.findall(ID, json.loads(line)["name"]))))
    return kept


def _run(
    command: Sequence[str | Path],
    folder: Path,
    seconds: float | None = None,
    problem: str = _NOT_BUILT,
) -> None:
    seconds = seconds or BUILD_SECONDS
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
