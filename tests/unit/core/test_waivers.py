"""Waivers: which findings they take out, and which of them are refused, expired or unused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Vantage
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.core.waivers import WaiverFile, for_run, load
from lago_acceptance.rules import rules

TODAY = datetime.now(UTC).date()


def written(folder: Path, *ids: str, days: int = 7) -> Path:
    """A file with a waiver for each id."""
    path = folder / "waivers.toml"
    path.write_text(
        "".join(
            f'[[waiver]]\nid = "{id}"\nreason = "known"\nexpires = {TODAY + timedelta(days)}\n' for id in ids
        )
    )
    return path


def finding(id: str) -> Finding:
    """A finding of an id."""
    return Finding(id=id, problem="x", impact="x", fix="x")


def test_an_id_that_does_not_exist_is_refused_with_the_nearest(tmp_path):
    path = written(tmp_path, "no-clock-servic")
    with pytest.raises(UsageError, match=r"no finding 'no-clock-servic'; did you mean no-clock-service"):
        load(path, TODAY)


def test_an_id_of_the_last_release_still_waives_and_is_noted(tmp_path, monkeypatch):
    monkeypatch.setitem(registry.ALIASES, "clock-missing", "no-clock-service")
    waivers = load(written(tmp_path, "clock-missing"), TODAY)
    assert waivers.waives(finding("no-clock-service"), "check")
    assert waivers.notes == (
        "waivers.toml: clock-missing is now called no-clock-service; the next release refuses the old id",
    )


def test_warnings_need_no_waiver(tmp_path):
    rules()
    waivers = load(written(tmp_path, "memory-limit-low", "no-clock-service"), TODAY)
    warning, error = finding("memory-limit-low"), finding("no-clock-service")
    left, used = waivers.applied([warning, error], "check")
    assert left == [warning] and list(used) == [error]
    assert (
        waivers.used(error, used[error]) == f"waived until {TODAY + timedelta(7)}: no-clock-service (known)"
    )


def test_what_can_not_be_seen_from_here_is_not_unused(tmp_path, monkeypatch):
    entry = registry.Entry(id="seen-live-only", phase=2, severity=registry.Severity.ERROR, title="A check.")
    monkeypatch.setitem(registry._entries, entry.id, entry)
    waivers = load(written(tmp_path, "seen-live-only", "no-clock-service"), TODAY)
    at_the_gate = waivers.unused((), {}, whole=registry.PHASES, vantage=Vantage.GATE)
    assert [each.place.path for each in at_the_gate] == ["waivers.toml#no-clock-service"]
    assert len(list(waivers.unused((), {}, whole=registry.PHASES, vantage=Vantage.LIVE))) == 2


def test_the_file_beside_the_settings_is_taken_unless_another_is_named(tmp_path):
    settings = tmp_path / "settings.toml"
    assert for_run(None, settings).waivers == WaiverFile().waivers == ()
    written(tmp_path, "no-clock-service")
    assert [each.id for each in for_run(None, settings).waivers] == ["no-clock-service"]
    (tmp_path / "other").mkdir()
    other = written(tmp_path / "other", "no-worker-service")
    assert [each.id for each in for_run(other, settings).waivers] == ["no-worker-service"]


ENTRY = '[[waiver]]\nid = "no-clock-service"\nreason = "known"\nexpires = {expires}\n{more}'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            ENTRY.format(expires=TODAY, more="") * 2,
            "there are two waivers for no-clock-service; delete one",
        ),
        (
            ENTRY.format(expires=TODAY, more='role = "apii"'),
            "no-clock-service of apii names no role of Lago's; did you mean api?",
        ),
        (
            ENTRY.format(expires=TODAY, more='roles = "api"'),
            "there is no entry 'roles' in waiver (entry 1); did you mean role?",
        ),
        (ENTRY.format(expires='"soon"', more=""), "expires of waiver (entry 1)"),
        (ENTRY.format(expires="2027-02-31", more=""), "is not TOML"),
        (ENTRY.format(expires=TODAY, more="").replace("[[waiver]]", "[waiver]"), "waiver"),
        (ENTRY.format(expires=TODAY, more="").replace("waiver", "waivers"), "did you mean waiver?"),
        (ENTRY.format(expires=TODAY, more="").replace('"known"', '" "'), "no-clock-service has no reason"),
        (
            ENTRY.format(expires=TODAY, more="").replace('reason = "known"\n', ""),
            "reason is missing in waiver (entry 1)",
        ),
    ],
)
def test_what_can_not_be_meant_is_refused(text, words, tmp_path):
    (tmp_path / "waivers.toml").write_text(text)
    with pytest.raises(UsageError) as raised:
        load(tmp_path / "waivers.toml", TODAY)
    assert str(raised.value).startswith(f"the waivers file {tmp_path}/waivers.toml")
    assert words in str(raised.value) and "\n" not in str(raised.value)


def test_two_waivers_of_one_id_for_two_roles(tmp_path):
    entries = (ENTRY.format(expires=TODAY, more=f'role = "{role}"\n') for role in ("api", "worker"))
    (tmp_path / "waivers.toml").write_text("\ufeff" + "".join(entries))
    assert len(load(tmp_path / "waivers.toml", TODAY).waivers) == 2


def test_something_else_in_the_place_of_the_file_beside_the_settings(tmp_path):
    (tmp_path / "waivers.toml").mkdir()
    with pytest.raises(UsageError, match=r"waivers.toml is a folder"):
        for_run(None, tmp_path / "settings.toml")
