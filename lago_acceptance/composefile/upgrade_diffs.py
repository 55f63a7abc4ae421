"""Changes of files as diffs that show no secret."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import msgspec

from lago_acceptance.core.printable import printable
from lago_acceptance.core.secrets import redact

_CONTEXT = 1


class FileChange(msgspec.Struct, frozen=True):
    """How a file changes: a unified diff, in which secrets are masked."""

    file: str
    diff: str


def changes(
    old: Mapping[str, bytes], new: Mapping[str, bytes], old_name: str, new_name: str
) -> tuple[FileChange, ...]:
    """The changes of those files that differ; ``old_name`` and ``new_name`` stand behind the files' names."""
    return tuple(
        FileChange(file, _diff(file, old[file].decode("utf-8"), text.decode("utf-8"), old_name, new_name))
        for file, text in sorted(new.items())
        if text != old[file]
    )


def _diff(file: str, old: str, new: str, old_name: str, new_name: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(), new.splitlines(), file, file, old_name, new_name, n=_CONTEXT, lineterm=""
    )
    return printable(redact("\n".join(lines)))
