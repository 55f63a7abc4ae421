"""What this machine lacks where a run breaks off: memory, files, threads, space. Such an end is no fault of the suite."""

from __future__ import annotations

import errno

from lago_acceptance.core.verdicts import Unreachable

# Files that a run has open at once, at most.
FILES = 256
_NO_PROCESS = (
    "this machine starts no more threads or processes for this account: raise ulimit -u, or the limit of pids of the "
    "container"
)
_NO_MEMORY = (
    "this machine has no memory left: free some, or raise the limit (ulimit -v, or that of the container)"
)
_NO_FILE = "this machine opens no more files for this account: raise ulimit -n"
_SENTENCES = {
    errno.EAGAIN: _NO_PROCESS,
    errno.ENOMEM: _NO_MEMORY,
    errno.EMFILE: _NO_FILE,
    errno.ENFILE: _NO_FILE,
    errno.ENOSPC: "no space is left on a disk of this machine: free some",
    errno.EDQUOT: "this account's disk quota is used up: free some space",
    errno.EROFS: "a file system of this machine is read-only: set TMPDIR to a folder in which this account may write",
}


def sentence(error: BaseException | None) -> str:
    """What this machine lacked when an exception was raised, and what to do; "" where it is the exception's own fault."""
    while error is not None:
        if isinstance(error, MemoryError):
            return _NO_MEMORY
        if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
            return _NO_PROCESS
        if isinstance(error, OSError) and error.errno in _SENTENCES:
            named = f" ({error.filename})" if error.filename else ""
            return _SENTENCES[error.errno] + named
        error = error.__cause__ or error.__context__
    return ""


def require_files() -> None:
    """Unreachable where this account may not open as many files as a run needs: checks would fail that should not."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        raise Unreachable(
            f"this account may open {hard} files at once, and a run needs {FILES}: raise ulimit -n"
        )
    if soft != resource.RLIM_INFINITY and soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
