"""The one place for what runs of the same user share."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from lago_acceptance.core import report_files


def cache_folder() -> Path:
    """The folder that all runs of this user share: for locks, and for what takes time to make.

    NotWritten where this user can have none. A home that does not exist is not created.
    """
    given, home = os.environ.get("XDG_CACHE_HOME"), Path(os.path.expanduser("~"))
    folder = (Path(given) if given else home / ".cache") / "lago-acceptance"
    with report_files.writing(folder, "set XDG_CACHE_HOME to a folder in which this account may write"):
        if not folder.is_absolute() or not (given or home.is_dir()):
            raise FileNotFoundError(errno.ENOENT, "no home is known")
        folder.mkdir(parents=True, exist_ok=True)
    return folder
