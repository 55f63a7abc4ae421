"""A healthy compose file with a few words changed, for tests that need a file which is no case of the corpus.

An edit is ``old => new``, where old occurs in the file at least once; ``@service old => new`` looks into that
service only, ``env: old => new`` into lago.env, and ``-service`` takes a service out. ``\\n`` is a line break.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import corpus


def write(folder: Path, name: str, edits: tuple[str, ...] = ()) -> Path:
    """A healthy file with edits, in a folder of its own together with what it names; its path."""
    text, variables = corpus.healthy(name), corpus.environment()
    for edit in edits:
        if edit.startswith("env: "):
            variables = _changed(variables, edit.removeprefix("env: "), edit)
        elif re.fullmatch(r"-[\w-]+", edit):
            start, end = _service(text, edit[1:])
            text = text[:start] + text[end:]
        elif edit.startswith("@") and " " in edit and _has_service(text, edit[1:].split(" ", 1)[0]):
            service, change = edit[1:].split(" ", 1)
            start, end = _service(text, service)
            text = text[:start] + _changed(text[start:end], change, edit) + text[end:]
        else:
            text = _changed(text, edit, edit)
    return corpus.write(folder, text, variables)


def _changed(text: str, change: str, edit: str) -> str:
    old, new = _lines(change).split(" => ") if " => " in change else ("", "")
    if not old or old not in text:
        raise ValueError(f"the edit changes what is not there: {edit}")
    return text.replace(old, new)


def _lines(text: str) -> str:
    """Line breaks for backslash-n; a doubled backslash stays one."""
    return text.replace("\\\\", "\0").replace("\\n", "\n").replace("\0", "\\")


def _has_service(text: str, name: str) -> bool:
    return f"\n  {name}:\n" in text


def _service(text: str, name: str) -> tuple[int, int]:
    start = text.index(f"\n  {name}:\n", text.index("\nservices:")) + 1
    end = re.compile(r"^(?:  \S|\S)", re.MULTILINE).search(text, start + 3)
    return start, end.start() if end else len(text)
