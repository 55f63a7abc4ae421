"""A history on the host, by ssh: fetched before a run, put back after it in one step, and never more than a note."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lago_acceptance.core.options import Options
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.settings import load
from lago_acceptance.history.store import NAME, History
from lago_acceptance.plugin import history as plugin
from lago_acceptance.plugin.options import OPTIONS, SETTINGS
from lago_acceptance.plugin.written import FAILED
from lago_acceptance.reports.summary import iso
from tests.support.summaries import FIRST, summary, unreached


@pytest.fixture
def reached(sshd, tmp_path):
    """Call it for a run with its history on a host, to which ssh gets; ``place`` is the file there."""
    server = sshd()
    place = tmp_path / "there" / "it's here" / "history.sqlite3"
    configs = []

    def configured(**options):
        stash = pytest.Stash()
        given = {
            "reports": tmp_path,
            "target": "live",
            "hosts": (server.url,),
            "ssh_config": server.ssh_config,
        }
        stash[OPTIONS] = Options(history_on_host=str(place), **given | options)
        stash[SETTINGS] = load(ROOT / "settings.toml")
        configs.append(SimpleNamespace(stash=stash))
        return configs[-1]

    yield SimpleNamespace(run=configured, place=place, host=server.url.removeprefix("ssh://"), server=server)
    for config in configs:
        plugin.pytest_unconfigure(config)


def test_a_history_on_the_host_goes_there_and_back(reached, tmp_path):
    for night, compared in enumerate((None, 1.0, 2.0)):
        config = reached.run()
        assert plugin.looked(config, night + 1.0) == compared
        told = plugin.remembered(config, summary(night, ["a"], host=reached.host))
        assert told.since == ("" if night == 0 else iso(FIRST)) and FAILED not in config.stash
        plugin.pytest_unconfigure(config)
    assert oct(reached.place.stat().st_mode) == "0o100600"
    assert [each.name for each in reached.place.parent.iterdir()] == ["history.sqlite3"]
    assert not (tmp_path / NAME).exists(), "nothing is left on a runner that forgets"
    assert not config.stash[plugin._PLACE].file.parent.exists()


def test_two_runners_at_once_lose_no_run(reached):
    first, second = reached.run(), reached.run()
    plugin.looked(first, 1.0), plugin.looked(second, 2.0)
    plugin.remembered(second, summary(0, host=reached.host))
    told = plugin.remembered(first, summary(1, ["a"], host=reached.host))
    assert told.changed, "it was compared with the run that was added meanwhile"
    with History(reached.place) as history:
        assert [run.run for run in history.runs(reached.host)] == ["run-0", "run-1"]


def test_what_lies_in_its_place_on_the_host_is_left_as_it_is(reached, monkeypatch):
    reached.place.mkdir(parents=True)
    config = reached.run()
    assert plugin.looked(config, 1.0) is None
    asked = len(reached.server.commands())
    plugin.remembered(config, summary(0, host=reached.host))
    (note,) = config.stash[FAILED]
    assert "it is not a regular file" in note and "--history-on-host" in note
    assert len(reached.server.commands()) == asked, "what has failed once is not tried again"
    assert reached.place.is_dir()


def test_one_that_is_too_large(reached, monkeypatch):
    monkeypatch.setattr("lago_acceptance.history.on_host.MOST", 1000)
    reached.place.parent.mkdir(parents=True)
    reached.place.write_bytes(b"x" * 2000)
    config = reached.run()
    plugin.looked(config, 1.0)
    assert "it has 2000 bytes, and 1000 are the limit" in config.stash[FAILED][0]
    reached.place.unlink()
    other = reached.run()
    plugin.remembered(other, summary(0, host=reached.host))
    assert "lower [reports] history" in other.stash[FAILED][0] and not reached.place.exists()


def test_a_folder_on_the_host_that_can_not_be_written(reached):
    reached.place.parent.parent.mkdir(parents=True)
    reached.place.parent.write_text("a file")
    config = reached.run()
    told = plugin.remembered(config, summary(0, host=reached.host))
    (note,) = config.stash[FAILED]
    assert "can't be used" in note and str(reached.place) in note and told.exit_code == 0
    assert reached.place.parent.read_text() == "a file"


def test_a_damaged_one_on_the_host_is_begun_again(reached):
    reached.place.parent.mkdir(parents=True)
    reached.place.write_bytes(b"<html>")
    config = reached.run()
    told = plugin.remembered(config, summary(0, host=reached.host))
    assert "was damaged" in told.notes[0] and FAILED not in config.stash
    with History(reached.place) as history:
        assert len(history.runs(reached.host)) == 1


def test_a_host_that_was_not_reached_is_not_tried_again(reached):
    config = reached.run()
    plugin.remembered(config, unreached(0, host=reached.host))
    assert "the host was not reached" in config.stash[FAILED][0] and not reached.server.commands()
