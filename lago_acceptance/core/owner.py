"""Which process owns what a run creates, and whether that process is gone. Where nobody can tell, it is left alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_PROC = Path("/proc")
_MACHINE_ID = Path("/etc/machine-id")
UNKNOWN = "unknown"


def me() -> str:
    """This process as ``machine.boot.namespace.pid.start``, without the clock: a step of it must not end a run.

    UNKNOWN where /proc does not show this process, as in a PID namespace without its own /proc.
    """
    try:
        if os.readlink(_PROC / "self") != str(os.getpid()):
            return UNKNOWN
        _, ticks = _state_and_start(os.getpid())
        return f"{_machine()}.{_boot()}.{_namespace()}.{os.getpid()}.{ticks}"
    except (OSError, IndexError):
        return UNKNOWN


def gone(label: str) -> bool | None:
    """Whether the process of a label has ended; None if that can't be seen from here.

    A process is seen from its own PID namespace only. All processes of a machine ended when it was started again.
    """
    mine, parts = me().split("."), label.split(".")
    if len(mine) != 5 or len(parts) != 5:
        return None
    machine, boot, namespace, pid, started = parts
    if boot != mine[1]:
        return True if machine and machine == mine[0] else None
    if namespace != mine[2] or not (pid.isascii() and pid.isdigit()):
        return None
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    try:
        state, ticks = _state_and_start(int(pid))
    except (OSError, IndexError):
        return None
    return ticks != started or state in ("Z", "X")


def _state_and_start(pid: int) -> tuple[str, str]:
    """A process's state, and its start in clock ticks since the boot; pids are reused."""
    # The program's name, in brackets, may hold anything.
    fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return fields[0], fields[19]


def _namespace() -> str:
    return str(os.stat(_PROC / "self" / "ns" / "pid").st_ino)


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _machine() -> str:
    """A digest of the machine's id, which is not to be shown; "" where it has none, as most containers."""
    try:
        text = _MACHINE_ID.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(f"lago-acceptance {text}".encode()).hexdigest()[:12] if len(text) == 32 else ""
