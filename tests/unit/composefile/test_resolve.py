"""A project that is brought up neither fetches anything nor reads a device: that is one sentence, and nothing starts."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core.verdicts import UsageError
from tests.support import hostile
from tests.support.listener import Listener


@pytest.mark.parametrize("name", hostile.REMOTE)
def test_an_address_is_one_sentence_and_is_not_fetched(name, tmp_path):
    listening = Listener()
    path = hostile.write_remote(tmp_path / "a", hostile.REMOTE[name], listening.port, "canary-of-the-key")
    with pytest.raises(
        UsageError, match=r"(include|extends) in .* names an address, which is neither"
    ) as told:
        resolve(Project(files=(path,), env_files=(path.with_name(".env"),)))
    listening.close()
    assert listening.heard == [] and "canary" not in str(told.value)


@pytest.mark.parametrize("name", hostile.SPECIAL)
def test_a_device_or_pipe_is_one_sentence(name, tmp_path):
    path = hostile.write(tmp_path / "a", hostile.SPECIAL[name])
    with pytest.raises(UsageError, match="names a device, a pipe or a file of the kernel"):
        resolve(Project(files=(path,)))


def test_a_local_file_is_included(tmp_path):
    path = hostile.write(tmp_path / "a", hostile.included("plain.yml"))
    assert [each.name for each in resolve(Project(files=(path,))).model.services] == ["api"]
