"""Runs against many hosts, side by side: none delays or hides another, and one that hangs costs its own deadline."""

from __future__ import annotations

import json
import time

import pytest

from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.core.waiting import until
from lago_acceptance.fleet import run
from lago_acceptance.fleet.target import Target, checked
from lago_acceptance.history.store import History
from tests.support import processes
from tests.support.patience import PATIENCE

CHILD = ("tests.support.fake_host_run",)


def look(tmp_path, *names, **more):
    """Look at hosts of these names: their summaries by name, the exit code, and what was printed."""
    targets = checked(Target(address=f"ssh://{name}") for name in names)
    how = run.Look(**{"reports": tmp_path, "arguments": [], "command": CHILD, "seconds": PATIENCE} | more)
    printed: list[str] = []
    summaries = run.look(targets, how, printed.append)
    code = run.finish(targets, summaries, how, printed.append)
    return {each.host: each for each in summaries}, code, "\n".join(printed)


def test_each_host_has_its_verdict_and_the_worst_is_that_of_all(tmp_path):
    found, code, printed = look(tmp_path, "a", "red", "b")
    assert {host: each.exit_code for host, each in found.items()} == {"a": 0, "red": 1, "b": 0}
    assert code == 1
    assert printed.partition("===== verdicts\n")[2].splitlines() == [
        "ssh://a: accepted",
        "ssh://red: not accepted: api-unhealthy of red",
        "ssh://b: accepted",
    ]
    assert "looked at a" in printed and "[3/3] " in printed


def test_one_summary_and_one_page_of_all(tmp_path):
    look(tmp_path, "a", "red")
    merged = json.loads((tmp_path / "summary.json").read_text())
    assert merged["format"] == 1 and merged["exit_code"] == 1 and merged["started"]
    assert [each["host"] for each in merged["hosts"]] == ["a", "red"]
    assert merged["hosts"][1]["causes"][0]["finding"]["id"] == "api-unhealthy"
    page = (tmp_path / "index.html").read_text()
    assert "<html" in page and (tmp_path / "index.html").stat().st_mode & 0o777 == 0o600


def test_a_host_that_hangs_costs_its_own_deadline_and_leaves_nothing_that_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "END_SECONDS", 1)
    started = time.monotonic()
    found, code, printed = look(tmp_path, "hang", "a", seconds=3)
    assert time.monotonic() - started < PATIENCE
    assert found["hang"].exit_code == 6 and code == 6 and found["a"].exit_code == 0
    assert "ssh://hang: took longer than 3 s, so there is no verdict" in printed
    pids = [int(pid) for pid in (tmp_path / "hang" / "pids").read_text().split()]
    assert len(pids) == 2 and until(lambda: not any(map(processes.runs, pids)), PATIENCE)


def test_a_host_without_a_summary_is_in_the_history_all_the_same(tmp_path):
    look(tmp_path, "killed", "a")
    with History(tmp_path / "history.sqlite3") as history:
        assert set(history.keys()) == {"killed", "a"}
        assert [past.exit_code for past in history.runs("killed")] == [3]


def test_a_run_that_breaks_off_does_not_inherit_an_earlier_verdict(tmp_path):
    earlier = tmp_path / "killed" / "earlier"
    earlier.mkdir(parents=True)
    (earlier / "summary.json").write_text('{"verdict": "accepted"}')
    (tmp_path / "killed" / "latest").symlink_to("earlier")
    found, code, printed = look(tmp_path, "killed")
    assert code == 3 and "accepted" not in printed and found["killed"].billing == "not known"


def test_a_fault_of_the_suite_is_no_verdict_on_the_host(tmp_path):
    found, code, printed = look(tmp_path, "crash")
    assert code == 3 and found["crash"].verdict.startswith("internal error of the suite")
    assert "a fault of the suite" in printed


def test_wrong_options_are_told_for_each_host(tmp_path):
    found, code, _ = look(tmp_path, "usage", "a")
    assert code == 4
    assert found["usage"].verdict == "usage error, so there is no verdict: --nonsense is no option"


def test_a_host_that_talks_much_is_cut_and_its_file_is_whole(tmp_path):
    _, _, printed = look(tmp_path, "chatty")
    assert len(printed) < run.SHOWN + 1000 and "the beginning is in output.log" in printed
    assert (tmp_path / "chatty" / "output.log").stat().st_size > 300_000


def test_accepted_hosts_print_a_line_only_where_that_is_wanted(tmp_path):
    _, _, printed = look(tmp_path, "a", "red", everything=False)
    assert (
        "looked at red" in printed and "looked at a" not in printed and "ssh://a: accepted (1 s)" in printed
    )


def test_a_host_with_options_of_its_own(tmp_path):
    settings, key = tmp_path / "own.toml", tmp_path / "my key"
    settings.touch()
    key.touch()
    (target,) = checked([Target(address="ssh://a:22", settings=settings, project="lago", identity=key)])
    how = run.Look(reports=tmp_path, arguments=["--settings", "all.toml"], command=CHILD, seconds=PATIENCE)
    (summary,) = run.look([target], how, lambda text: None)
    call = (tmp_path / "a_22_lago" / "calls").read_text()
    assert summary.exit_code == 0
    # The last one counts.
    assert call.index("--settings all.toml") < call.index(f"--settings {settings}")
    assert "--project lago" in call and f"--history {tmp_path}/history.sqlite3" in call
    config = (tmp_path / "a_22_lago" / "ssh_config").read_text()
    assert f'IdentityFile "{key}"\nIdentitiesOnly yes\n' in config


def test_a_link_to_itself_in_the_place_of_the_newest_run(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "latest").symlink_to("latest")
    _, code, _ = look(tmp_path, "a")
    assert code == 0


def test_a_key_of_its_own_beside_the_ssh_config_of_all(tmp_path):
    key, config = tmp_path / "key", tmp_path / "all"
    key.touch()
    config.touch()
    how = run.Look(reports=tmp_path, arguments=[], ssh_config=config)
    own = run.ssh_config(Target(address="ssh://a", identity=key), how)
    assert f'Include "{config}"' in own.read_text() and ".ssh/config" not in own.read_text()
    assert run.ssh_config(Target(address="ssh://a"), how) == config
    assert run.ssh_config(Target(address="ssh://a", ssh_config=key), how) == key


def test_reports_that_can_not_be_written_change_no_verdict(tmp_path, monkeypatch):
    blocked = tmp_path / "index.html"
    blocked.mkdir()
    (blocked / "in the way").touch()
    _, code, printed = look(tmp_path, "a")
    assert code == 0 and "the verdicts count all the same: " in printed and str(blocked) in printed


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_deadline_that_is_none(seconds, tmp_path):
    with pytest.raises(UsageError, match="--host-deadline .* is not a time limit"):
        look(tmp_path, "a", seconds=seconds)


@pytest.mark.parametrize(
    ("free", "cores", "limits", "expected"),
    [
        (64_000, 2, {}, 4),
        (600, 4, {}, 4),
        (10, 8, {}, 1),
        (64_000, 8, {"memory.max": f"{2**30}", "memory.current": f"{2**29}", "cpu.max": "max 100000"}, 3),
        (64_000, 8, {"memory.max": "max", "memory.current": f"{2**29}", "cpu.max": "150000 100000"}, 3),
        (64_000, 8, {"cpu.max": "20000 100000"}, 1),
    ],
)
def test_as_many_at_once_as_there_is_room_for(free, cores, limits, expected, tmp_path, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": free * 2**20}))
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: set(range(cores)))
    monkeypatch.setattr(run, "CGROUP", tmp_path)
    for name, text in limits.items():
        (tmp_path / name).write_text(f"{text}\n")
    assert run.at_once() == expected
