"""Private folders (mode 700) of one process, for keys and sockets. Those of killed processes are removed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lago_acceptance.core import owner, report_files

_OWNER = "owner"
_KEPT = "kept "
_MOST = 500


def make(prefix: str, place: str | None = None) -> Path:
    """A new folder in ``place``, by default in the system's temporary folder."""
    around = Path(place or tempfile.gettempdir())
    for left, label in _own(around, prefix):
        if owner.gone(label):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=around))
    (folder / _OWNER).write_text(owner.me())
    return folder


@contextmanager
def temporary(prefix: str) -> Iterator[Path]:
    """A new folder that is removed when the block ends. NotWritten where it can't be made."""
    with report_files.writing("a temporary folder", report_files.IN_TMPDIR):
        folder = make(prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(folder: Path, run_id: str) -> None:
    """Leave a folder to a run's stack, which outlives this process."""
    (folder / _OWNER).write_text(_KEPT + run_id)


def kept(prefix: str) -> set[str]:
    """The runs whose stacks still have their folder."""
    labels = (label for _, label in _own(Path(tempfile.gettempdir()), prefix))
    return {label.removeprefix(_KEPT) for label in labels if label.startswith(_KEPT)}


def remove_kept(prefix: str, run_id: str) -> None:
    """Remove the folder that was left to a run's stack."""
    for left, label in _own(Path(tempfile.gettempdir()), prefix):
        if label == _KEPT + run_id:
            shutil.rmtree(left, ignore_errors=True)


def _own(around: Path, prefix: str) -> Iterator[tuple[Path, str]]:
    """This user's private folders, each with its owner. What others put there under such a name is not touched."""
    for folder in around.glob(f"{prefix}*"):
        try:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue
            descriptor = os.open(folder / _OWNER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                yield folder, file.read(_MOST).decode("ascii", "replace").strip()
        except OSError:
            continue
