"""Looks at processes that may end at any moment: one that has ended is no error."""

from __future__ import annotations

import contextlib

import psutil


def started_by(number: int, name: str = "") -> list[psutil.Process]:
    """What a process has started, and what those have, that runs; with ``name``, only where the name contains it.

    Empty where the process itself has ended.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(number).children(recursive=True)
        return [each for each in children if runs(each) and name in _name(each)]
    return []


def runs(process: psutil.Process | int) -> bool:
    """Whether a process runs, by its number or as it was found: it has not ended, and is no zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        found = psutil.Process(process) if isinstance(process, int) else process
        return found.is_running() and found.status() != psutil.STATUS_ZOMBIE
    return False


def with_variable(name: str, value: str) -> list[str]:
    """The processes that run and have a variable of this value, as far as they can be read."""
    return [
        f"process {each.pid}: {_name(each)}"
        for each in psutil.process_iter()
        if _variable(each, name) == value and runs(each)
    ]


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.name()
    return ""


def _variable(process: psutil.Process, name: str) -> str | None:
    with contextlib.suppress(psutil.Error):
        return process.environ().get(name)
    return None
