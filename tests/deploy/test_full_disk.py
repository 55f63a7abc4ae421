"""A disk that gets full while a deploy is at a step: the old version runs on, or comes back, and the cause is named."""

from __future__ import annotations

import pytest

from tests.support.deploy import command, moments

pytestmark = [pytest.mark.stack, pytest.mark.docker]


@pytest.mark.parametrize("step", moments.steps("dump"))
def test_the_old_version_is_back_when_the_disk_gets_full(unchanged, checkout, step):
    with moments.small_disk(unchanged):
        with moments.ahead_of(f"change_{step}", moments.FILLS_ITS_DISK):
            ended = command.deploy(unchanged, checkout)
        assert ended.code == 1, ended.output[-4000:]
        assert "is full: free some space" in ended.output, ended.output[-4000:]
        assert "Rolling back failed" not in ended.output
        shown = command.run("status", unchanged)
        assert shown.code == 0, shown.output
        assert "undone" in shown.output
        assert moments.lock_is_free(unchanged)
