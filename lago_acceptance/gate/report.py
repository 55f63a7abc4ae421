"""What a run of the gate leaves behind: the text for the terminal, annotations, and the files of the reports' folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from lago_acceptance.core import report_files
from lago_acceptance.core.findings import Finding, Told
from lago_acceptance.gate.engine import FileVerdict
from lago_acceptance.gate.formatters import github, json, sarif
from lago_acceptance.gate.formatters.ordering import ordered
from lago_acceptance.gate.formatters.text import Page


def for_terminal(
    findings: Iterable[Finding],
    verdicts: Sequence[FileVerdict],
    notes: Iterable[str],
    *,
    color: bool = False,
    verbose: bool = False,
) -> str:
    """The findings as people read them, with the notes of the files and ``notes`` below.

    ``verbose``: with the rules that were applied, and how many places each of them found.
    """
    page = Page(
        told=_ordered(findings, verdicts),
        lines={path: lines for verdict in verdicts for path, lines in verdict.lines.items()},
        notes=[*(f"{verdict.path}: {note}" for verdict in verdicts for note in verdict.notes), *notes],
        files=len(verdicts),
        applied=list(dict.fromkeys(id for verdict in verdicts for id in verdict.findings)) if verbose else (),
        color=color,
    )
    return str(page)


def for_github(findings: Iterable[Finding], verdicts: Sequence[FileVerdict]) -> list[str]:
    """GitHub's workflow commands where this run is one of its jobs, else nothing."""
    return github.commands(_ordered(findings, verdicts)) if os.environ.get("GITHUB_ACTIONS") else []


def _ordered(findings: Iterable[Finding], verdicts: Sequence[FileVerdict]) -> list[Told]:
    return ordered(findings, {path: verdict.path for verdict in verdicts for path in verdict.lines})


def write(folder: Path, findings: Iterable[Finding], verdicts: Sequence[FileVerdict]) -> None:
    """Write gate.json and gate.sarif. NotWritten where that fails: then none of an earlier run is left either."""
    rules = {entry.id: entry for verdict in verdicts for entry in verdict.rules}
    told = _ordered(findings, verdicts)
    contents = {"gate.json": json.document(told), "gate.sarif": sarif.document(told, rules.values())}
    try:
        report_files.make_folder(folder)
        for name, content in contents.items():
            text = msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"
            report_files.write(folder / name, text)
    except report_files.NotWritten:
        for name in contents:
            with contextlib.suppress(OSError):
                (folder / name).unlink()
        raise
