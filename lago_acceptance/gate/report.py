"""What a run of the gate leaves behind: the text for the terminal, annotations, and the files of the reports' folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from lago_acceptance.core import report_files
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.printable import one_line
from lago_acceptance.gate.engine import FileVerdict
from lago_acceptance.gate.formatters import github, json, sarif
from lago_acceptance.gate.formatters.text import text


def for_terminal(findings: Sequence[Finding], verdicts: Sequence[FileVerdict], notes: Iterable[str]) -> str:
    """The findings as people read them, with the notes of the files and ``notes`` below."""
    said = [*(f"{verdict.path}: {note}" for verdict in verdicts for note in verdict.notes), *notes]
    return text(
        findings, {one_line(verdict.path): verdict.lines for verdict in verdicts}, said, len(verdicts)
    )


def for_github(findings: Sequence[Finding]) -> list[str]:
    """GitHub's workflow commands where this run is one of its jobs, else nothing."""
    return github.commands(findings) if os.environ.get("GITHUB_ACTIONS") else []


def write(folder: Path, findings: Sequence[Finding], verdicts: Sequence[FileVerdict]) -> None:
    """Write gate.json and gate.sarif. NotWritten where that fails: then none of an earlier run is left either."""
    rules = {entry.id: entry for verdict in verdicts for entry in verdict.rules}
    contents = {"gate.json": json.document(findings), "gate.sarif": sarif.document(findings, rules.values())}
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
