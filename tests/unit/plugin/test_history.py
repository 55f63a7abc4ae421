"""What a run asks the history and leaves there: which look it is compared with, and what happens where it fails."""

from __future__ import annotations

import json
from types import SimpleNamespace

import msgspec
import pytest

from lago_acceptance.core.options import Options
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.settings import load
from lago_acceptance.history.store import NAME, History, Look
from lago_acceptance.plugin import history as plugin
from lago_acceptance.plugin.options import OPTIONS, SETTINGS
from lago_acceptance.plugin.written import FAILED
from lago_acceptance.reports.summary import iso
from tests.support.summaries import FIRST, HOST, NIGHT, summary, unreached

DAY = 86400.0


@pytest.fixture
def run(tmp_path):
    """Call it for the configuration of a new run against the host."""

    def configured(**options):
        stash = pytest.Stash()
        given = {"reports": tmp_path, "target": "live", "hosts": (f"ssh://{HOST}",)} | options
        stash[OPTIONS] = Options(**given)
        stash[SETTINGS] = load(ROOT / "settings.toml")
        return SimpleNamespace(stash=stash)

    return configured


@pytest.fixture
def look(run):
    """Call it for a whole run: when it looked by the host's clock. What it compared with."""

    def looked(clock, scheduled=False, **fields):
        config = run(scheduled=scheduled)
        compared = plugin.looked(config, clock)
        plugin.remembered(config, summary(clock / DAY, scheduled=scheduled, **fields))
        assert FAILED not in config.stash
        return compared

    return looked


def test_without_a_timer_each_look_is_compared_with_the_one_before(look):
    assert [look(100.0), look(200.0), look(300.0)] == [None, 100.0, 200.0]


def test_a_look_by_hand_does_not_clear_the_nights_alarm(look):
    assert look(100.0, scheduled=True) is None
    assert look(200.0) == 100.0
    assert look(300.0) == 100.0
    assert look(400.0, scheduled=True) == 100.0
    assert look(500.0) == 400.0


def test_a_timer_that_was_stopped_a_week_ago_no_longer_counts(look):
    look(0.0, scheduled=True)
    look(DAY)
    assert look(6.9 * DAY) == 0.0
    assert look(7.1 * DAY) == 6.9 * DAY
    assert look(7.2 * DAY, scheduled=True) == 7.1 * DAY


def test_a_run_that_has_not_reported_what_it_saw_was_no_look(look):
    look(100.0)
    for code in (2, 3, 6):
        assert look(200.0, exit_code=code, billing="not known") == 100.0
    assert look(300.0) == 100.0


def test_the_hosts_clock_is_put_back(look):
    look(100.0), look(500.0)
    assert look(300.0) == 100.0


def test_an_earlier_releases_file_is_taken_over(run, tmp_path):
    state = tmp_path / "state" / "root@billing.example.json"
    state.parent.mkdir()
    state.write_text(json.dumps({"looked_at": 50.0, "waived": {"disk-full": "test_disk"}}))
    config = run()
    assert plugin.looked(config, 100.0) == 50.0
    assert plugin.waived_before(config) == {"disk-full": "test_disk"}
    plugin.remembered(config, summary(0))
    assert not state.parent.exists()
    with History(tmp_path / NAME) as history:
        assert history.last_look(HOST) == Look(100.0, {"disk-full": "test_disk"})


@pytest.mark.parametrize("text", ["", "{", '{"looked_at": "soon"}', "[]", "\xff"])
def test_an_earlier_releases_file_that_is_damaged_counts_as_none(run, tmp_path, text):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "root@billing.example.json").write_text(text, "latin-1")
    config = run()
    assert plugin.looked(config, 100.0) is None and FAILED not in config.stash


def test_waivers_that_were_used_are_remembered(run):
    first = run()
    assert plugin.waived_before(first) == {}, "it has not looked at the host"
    plugin.looked(first, 1.0)
    first.stash[plugin.WAIVED] = {"disk-full": "test_disk"}
    plugin.remembered(first, summary(0))
    second = run()
    plugin.looked(second, 2.0)
    assert plugin.waived_before(second) == {"disk-full": "test_disk"}
    plugin.remembered(second, summary(1))
    third = run()
    plugin.looked(third, 3.0)
    assert plugin.waived_before(third) == {"disk-full": "test_disk"}, "a run without waivers forgets none"


def test_a_summary_says_since_when_and_what_has_changed(run):
    first = plugin.remembered(run(), summary(0))
    assert (first.since, first.changed, first.notes) == ("", False, ())
    plugin.remembered(run(), summary(1, ["a"]))
    third = plugin.remembered(run(), summary(2, ["a", "b"], notes=("kept",)))
    assert (third.since, third.changed, third.changes) == (iso(FIRST + NIGHT), True, 1)
    assert third.notes == ("kept", "new since the last run (2026-11-02 03:17 UTC): b")


@pytest.mark.parametrize("first", [summary(1, ["a"]), unreached(1)], ids=["red", "unreached"])
def test_a_second_look_takes_the_place_of_the_first(run, first, tmp_path):
    """What has changed has done so since the night before, and not since a minute ago."""
    before, config = run(scheduled=True), run(scheduled=True)
    plugin.looked(before, 50.0)
    plugin.remembered(before, summary(0))
    plugin.looked(config, 100.0)
    assert plugin.remembered(config, first).changed
    again = msgspec.structs.replace(first, run="second")
    config = run(scheduled=True, instead_of=first.run)
    assert plugin.looked(config, 160.0) == 50.0
    told = plugin.remembered(config, again)
    assert told.changed and told.changes == (first.exit_code == 1)
    well = run(scheduled=True, instead_of="second")
    told = plugin.remembered(well, summary(1, run="third"))
    assert not told.changed and told.changes == 0
    with History(tmp_path / NAME) as history:
        assert [each.run for each in history.runs(HOST)] == ["run-0", "third"]


def test_what_is_not_recorded_is_told_nothing(run, tmp_path):
    interrupted = summary(0, exit_code=2, billing="not known")
    assert plugin.remembered(run(), interrupted) is interrupted
    assert not (tmp_path / NAME).exists()


def test_a_history_that_can_not_be_used_is_one_note(run, tmp_path):
    config = run(history=tmp_path)
    assert plugin.looked(config, 1.0) is None
    assert plugin.waived_before(config) == {}
    told = summary(0)
    assert plugin.remembered(config, told) == told
    (note,) = config.stash[FAILED]
    assert note == f"the history {tmp_path} is a folder: choose another file with --history"


def test_a_damaged_history_is_said_once(run, tmp_path):
    (tmp_path / NAME).write_text("<html>")
    config = run()
    assert plugin.looked(config, 1.0) is None
    told = plugin.remembered(config, summary(0))
    (note,) = told.notes
    assert "was damaged" in note and FAILED not in config.stash


def test_where_a_run_can_not_be_added_it_is_told_all_the_same(run, monkeypatch):
    from lago_acceptance.history.database import Unusable

    plugin.remembered(run(), summary(0))

    def full(*given):
        raise Unusable("full")

    monkeypatch.setattr(History, "add", full)
    config = run()
    assert plugin.remembered(config, summary(1)).since == iso(FIRST)
    assert config.stash[FAILED] == ["full"]


def test_a_stack_has_its_compose_files_name(run):
    from lago_acceptance.reports.summary import Deployment

    options = Options(reports=ROOT / "reports")
    assert plugin.host_of(options) == "this machine" and plugin.stack_of(options) == "docker-compose.lago.yml"
    stack = summary(
        0, target="stack", host="this machine", deployment=Deployment(compose_file="docker-compose.lago.yml")
    )
    assert stack.key == plugin._key(options) == "this machine docker-compose.lago.yml"
    live = run().stash[OPTIONS]
    assert plugin._key(live) == summary(0).key == HOST


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"history": ROOT / "x"}, "instead of --history"),
        ({"history_on_host": "var/history"}, "give the full path"),
        ({"history_on_host": "/var/"}, "give the full path"),
        ({"history_on_host": "/var/\nx"}, "give the full path"),
    ],
)
def test_options_that_contradict_each_other(run, given, words):
    from lago_acceptance.core.verdicts import UsageError

    with pytest.raises(UsageError, match=words):
        run(**{"history_on_host": "/var/history.sqlite3"} | given).stash[OPTIONS].check()
