"""The folder for locks: one sentence where a user can have none."""

from __future__ import annotations

import os

import pytest

from lago_acceptance.core import cache
from lago_acceptance.core.verdicts import Unreachable


def test_it_is_made_in_the_home(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "lago-acceptance"
    assert cache.cache_folder().is_dir()


def test_a_user_without_a_home(monkeypatch):
    """A user id without a name, and no HOME."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(Unreachable, match="can't be written: no home is known.* set XDG_CACHE_HOME"):
        cache.cache_folder()


@pytest.mark.parametrize("home", ["/proc", "/dev/null"])
def test_a_home_that_can_not_be_written(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    with pytest.raises(Unreachable, match="can't be written: .* set XDG_CACHE_HOME"):
        cache.cache_folder()


def test_a_home_that_does_not_exist_is_not_created(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    with pytest.raises(Unreachable, match="can't be written: no home is known"):
        cache.cache_folder()
    assert not (tmp_path / "nowhere").exists()
