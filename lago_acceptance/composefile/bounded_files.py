"""Reading files that anybody may have put there: regular ones only, of a project's own folder, up to a size."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from lago_acceptance.composefile.yaml_lines import Unusable

# Of an environment file: the kernel starts no program with more than about 2 MB of variables and arguments.
ENVIRONMENT_CAP = 262_144
# Its entries are views of the kernel and of other processes, though some look like regular files.
_KERNEL = ("/dev", "/proc", "/sys")


def project_of(folder: Path) -> Path:
    """The folder that holds a compose file's project: the top of its git repository, or else the file's own folder.

    A repository of the whole home folder, or of the whole disk, is nobody's project.
    """
    folder = folder.resolve()
    too_wide = (Path("/"), Path(os.path.expanduser("~")).resolve())
    for each in (folder, *folder.parents):
        if each in too_wide:
            break
        if (each / ".git").exists():
            return each
    return folder


def unread_because(path: Path, project: Path) -> str:
    """Why a file must not be opened: "special" or "outside", as UnreadFile has it; "" if it may be. Opens nothing."""
    try:
        real = Path(os.path.realpath(path))
        kind = stat.S_IFMT(os.stat(real).st_mode)
    except OSError:
        kind = stat.S_IFREG
    except ValueError:
        # No file has a name with a zero byte.
        return "special"
    if real == Path(os.devnull):
        return ""
    inside = real.is_relative_to(project)
    if kind not in (stat.S_IFREG, stat.S_IFDIR) or (not inside and _of_kernel(real)):
        return "special"
    return "" if inside else "outside"


def _of_kernel(path: Path) -> bool:
    return any(path.is_relative_to(each) for each in _KERNEL)


def read_regular(path: Path, cap: int, name: str) -> bytes:
    """The contents of a regular file; Unusable if it is none, or has more than ``cap`` bytes, or can't be read.

    ``name`` is what the reason calls it.
    """
    try:
        # Looked at before it is opened: opening some devices has effects.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Unusable(f"{name} is not a regular file but a pipe, a device or a socket")
        with open(path, "rb", buffering=0, opener=_opened_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unusable(f"{name} is not a regular file but a pipe, a device or a socket")
            size = os.fstat(file.fileno()).st_size
            data = b"" if size > cap else _read(file.fileno(), cap + 1)
    except OSError as error:
        raise Unusable(f"{name} can't be read: {error.strerror}") from error
    if max(size, len(data)) > cap:
        raise Unusable(f"{name} has {max(size, len(data)) / 1e6:.1f} MB; the limit is {cap / 1e6:.2g} MB")
    return data


def _opened_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _read(file: int, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (part := os.read(file, min(most, 1 << 20))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
