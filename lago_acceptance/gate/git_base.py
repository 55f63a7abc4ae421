"""The version that a change is compared with: a file, or what git has at the merge base."""

from __future__ import annotations

import os
from pathlib import Path

from lago_acceptance.composefile.git import git
from lago_acceptance.composefile.loader import load
from lago_acceptance.composefile.sources import Source
from lago_acceptance.core.verdicts import Unknown, UsageError


def base_of(
    base: str, path: Path, env_file: Path | None, scratch: Path, overlays: tuple[Path, ...] = ()
) -> Source:
    """The version to compare with: a file, or what git has at the merge base with a branch or commit.

    A copy of what git has goes into a folder of its own in ``scratch``, with the ``overlays`` that there were.

    Unknown where there is no such version, or Compose can't read it; UsageError where ``base`` can't be used at all.
    """
    if os.path.isfile(base):
        old = load(Path(base), env_file)
        if not old.model.services:
            raise UsageError(f"--base {base} can't be used: {old.written.compose_error}")
        return old
    where = path.resolve().parent
    merge_base = None if base.startswith("-") else git(where, "merge-base", "HEAD", base)
    if merge_base is None:
        raise UsageError(f"--base {base} is neither a file nor a branch or commit that git knows here")
    commit, folder = merge_base.decode("ascii").strip(), scratch / str(os.getpid())
    copy = _copy(path, commit, folder)
    if copy is None:
        raise Unknown(f"it did not exist yet at {base}")
    above = (_copy(each, commit, folder / str(number)) for number, each in enumerate(overlays))
    old = load(copy, env_file, where, tuple(each for each in above if each))
    if not old.model.services:
        raise Unknown(f"Compose can't read it as it was at {base}")
    return old


def _copy(path: Path, commit: str, folder: Path) -> Path | None:
    """A copy of a file as it was at a commit, None if it did not exist."""
    real = path.resolve()
    text = git(real.parent, "cat-file", "blob", f"{commit}:./{real.name}")
    if text is None:
        return None
    folder.mkdir(parents=True)
    copy = folder / real.name
    copy.write_bytes(text)
    return copy
