"""What a run of the gate leaves behind: the text for the terminal, annotations, and the files of the reports' folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from lago_acceptance.composefile.loader import Source
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.gate.formatters import github, json, sarif
from lago_acceptance.gate.formatters.text import text


def for_terminal(findings: Sequence[Finding], sources: Sequence[Source], notes: Iterable[str]) -> str:
    """The findings as people read them, with the notes of the files and ``notes`` below."""
    said = [*(f"{source.path}: {note}" for source in sources for note in source.notes), *notes]
    return text(findings, {one_line(source.path): source.text for source in sources}, said, len(sources))


def for_github(findings: Sequence[Finding]) -> list[str]:
    """GitHub's workflow commands where this run is one of its jobs, else nothing."""
    return github.commands(findings) if os.environ.get("GITHUB_ACTIONS") else []


def write(folder: Path, findings: Sequence[Finding]) -> None:
    """Write gate.json and gate.sarif. UsageError where the folder can't be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (
            ("gate.json", json.document(findings)),
            ("gate.sarif", sarif.document(findings)),
        ):
            (folder / name).write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"--reports {folder} can't be written: {error.strerror}") from error
