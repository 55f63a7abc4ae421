"""The one place that writes what a run leaves in files: for their owner's eyes alone, and whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lago_acceptance.core.verdicts import Unreachable

FOLDER, FILE = 0o700, 0o600
IN_REPORTS = "choose another folder with --reports"
IN_TMPDIR = "set TMPDIR to a folder with space in which this account may write"
_REASONS = {
    errno.ENOSPC: "no space is left there; free some, or",
    errno.EDQUOT: "this account's disk quota is used up; free some space, or",
    errno.EFBIG: "it is larger than this account's files may be (ulimit -f); raise the limit, or",
    errno.EROFS: "the file system is read-only;",
    errno.EACCES: "this account may not write there;",
    errno.EPERM: "this account may not write there;",
    errno.ENAMETOOLONG: "its path is too long;",
    errno.ENOTDIR: "part of its path is not a folder;",
    errno.EMFILE: "this account may not open more files (ulimit -n); raise the limit, or",
}


class NotWritten(Unreachable):
    """A file or folder of a run could not be written. Before a verdict this ends the run; after it, it is a note."""


@contextmanager
def writing(what: object, instead: str = IN_REPORTS) -> Iterator[None]:
    """Turn a failure to write ``what`` into NotWritten, with the reason and what to do ``instead``."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"{error.strerror or error};")
        raise NotWritten(f"{what} can't be written: {reason} {instead}") from error


def make_folder(folder: Path) -> Path:
    """A folder of mode 700 with those above it, where they are missing; one that is there is left as it is."""
    with writing(folder):
        for missing in [each for each in (*reversed(folder.parents), folder) if not each.is_dir()]:
            # mkdir subtracts the umask, and another run may create the same folder meanwhile.
            missing.mkdir(FOLDER, exist_ok=True)
            missing.chmod(FOLDER)
    return folder


def write(path: Path, content: bytes, mode: int = FILE, instead: str = IN_REPORTS) -> None:
    """Write a file in a folder that is there, replacing an earlier one in one step. NotWritten on failure.

    ``mode`` is for what another user's program reads; ``instead`` says what to do where it can't be written.
    """
    with _replacing(path, instead) as beside:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if mode != FILE:
                # Not by open, from whose mode the umask is taken.
                os.fchmod(descriptor, mode)


def link(path: Path, target: str) -> None:
    """Make ``path`` a link to ``target``, replacing an earlier one in one step. NotWritten on failure."""
    with _replacing(path) as beside:
        beside.symlink_to(target)


@contextmanager
def _replacing(path: Path, instead: str = IN_REPORTS) -> Iterator[Path]:
    """A name beside ``path``, for what takes its place at the end."""
    beside = path.with_name(f".{os.urandom(8).hex()}")
    with writing(path, instead):
        try:
            yield beside
            beside.replace(path)
        except BaseException:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
