"""--allow-mount: a path of this machine, for a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.core.options import Options
from lago_acceptance.core.verdicts import UsageError


def options(reports: Path, *paths: Path, **more) -> Options:
    return Options(reports=reports, allow_mount=paths, **more)


def test_a_path_that_is_there_is_accepted(tmp_path):
    options(tmp_path, tmp_path).check()


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--allow-mount .* does not exist"):
        options(tmp_path, tmp_path / "none").check()


def test_a_live_host_has_no_use_for_it(tmp_path):
    with pytest.raises(UsageError, match="--target stack"):
        options(
            tmp_path,
            tmp_path,
            target="live",
            hosts=("ssh://root@host",),
            given=frozenset({"--allow-mount"}),
        ).check()
