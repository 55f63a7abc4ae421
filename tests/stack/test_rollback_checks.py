"""The checks of rollbacks, as a user runs them: accepted with this engine, and red with one that does not put things back."""

from __future__ import annotations

import pytest

from tests.support import suite_run

pytestmark = [pytest.mark.stack, pytest.mark.docker]


@pytest.mark.parametrize(
    "names",
    [
        "column-renamed",
        pytest.param("", marks=pytest.mark.exhaustive),
    ],
    ids=["one", "all"],
)
def test_mistakes_are_rolled_back_from(suite, names):
    result = suite("-m", "rollback", "-k", names)
    assert result.code == 0, result.output[-6000:]
    assert result.checks("passed") and not result.checks("unknown")


@pytest.mark.exhaustive
def test_a_rollback_that_leaves_the_new_files_is_found(tmp_path):
    plugin = ("-p", "tests.support.deploy.files_stay")
    result = suite_run.run(tmp_path, *plugin, "-m", "rollback", "-k", "moved-volume")
    assert result.code == 1, result.output[-6000:]
    assert "rollback-not-back" in result.red(), result.output[-6000:]
