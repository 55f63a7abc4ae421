"""The history of runs: since when a state lasts, what changed, and what the next run compares with."""

from __future__ import annotations

import sqlite3

import pytest

from lago_acceptance.core.measurements import Measurement
from lago_acceptance.core.secrets import Secret
from lago_acceptance.history.changes import described
from lago_acceptance.history.store import FLAPS, NAME, History, LastAlarm, Look
from tests.support.summaries import FIRST, HOST, NIGHT, summary, unreached


@pytest.fixture
def history(tmp_path):
    with History(tmp_path / NAME) as opened:
        yield opened


def at(number: float) -> float:
    """When the run of a night began."""
    return FIRST + number * NIGHT


def test_the_first_run_has_nothing_before_it(history):
    standing = history.standing(summary(0, red=["a"]))
    assert (standing.since, standing.changed, standing.changes, standing.before) == (None, False, 0, None)
    assert described(summary(0, red=["a"]), standing) == ()


def test_since_when_a_state_lasts(history):
    for night, red in enumerate([[], ["a"], ["a"]]):
        history.add(summary(night, red))
    standing = history.standing(summary(3, ["a"]))
    assert standing.since == at(1) and not standing.changed and standing.changes == 1
    assert standing.before.started == at(2)
    better = history.standing(summary(3))
    assert better.since == at(3) and better.changed and better.changes == 2


def test_other_errors_are_a_change_and_end_no_state(history):
    history.add(summary(0, ["a"]))
    run = summary(1, ["b"])
    standing = history.standing(run)
    assert standing.changed and standing.since == at(0)
    assert described(run, standing) == (
        "new since the last run (2026-11-01 03:17 UTC): b",
        "gone since the last run (2026-11-01 03:17 UTC): a",
    )


def test_a_night_without_verdict_ends_no_state(history):
    history.add(summary(0, ["a"]))
    lost = unreached(1)
    standing = history.standing(lost)
    assert standing.changed and standing.since == at(1)
    assert described(lost, standing) == (
        "in the last run that could judge (2026-11-01 03:17 UTC): bills, with faults",
    )
    history.add(lost)
    history.add(unreached(2))
    assert history.standing(unreached(3)).since == at(1)
    again = history.standing(summary(3, ["a"]))
    assert again.since == at(0) and not again.changed and again.changes == 0
    assert again.before.started == at(0)


def test_only_a_run_that_was_never_judged_is_before_one_that_is(history):
    history.add(unreached(0))
    standing = history.standing(summary(1))
    assert standing.changed and standing.since == at(1) and standing.before.exit_code == 6


@pytest.mark.parametrize("code", [2, 4])
def test_what_was_interrupted_or_badly_called_is_no_run(history, code):
    history.add(summary(0, exit_code=code, billing="not known"), Look(5.0))
    assert history.keys() == () and history.runs(HOST) == () and history.last_look(HOST) == Look()


def test_flapping(history):
    for night in range(FLAPS + 1):
        history.add(summary(night, ["a"] if night % 2 else []))
    run = summary(9, ["a"])
    standing = history.standing(run)
    assert standing.changes == FLAPS + 1
    assert "the verdict has changed 5 times in the last ten runs: it flaps" in described(run, standing)
    for night in range(10, 19):
        history.add(summary(night))
    assert history.standing(summary(19)).changes == 0


def test_a_look_at_some_checks_does_not_end_what_it_did_not_look_at(history):
    history.add(summary(0, ["a"]))
    part = summary(0.5, checks=["b"], scheduled=False)
    standing = history.standing(part)
    assert (standing.since, standing.changed, standing.left_out) == (None, False, True)
    assert described(part, standing) == (
        "red in the last run (2026-11-01 03:17 UTC), but not fully checked in this one: a",
    )
    history.add(part)
    night = history.standing(summary(1, ["a"]))
    assert night.since == at(0) and not night.changed and night.changes == 0
    assert history.standing(summary(1)).since == at(1)


def test_several_such_looks_end_nothing_either(history):
    history.add(summary(0, ["a"]))
    for number in (0.2, 0.4):
        history.add(summary(number, checks=["b"]))
    assert history.standing(summary(0.6, checks=["b"])).left_out
    assert history.standing(summary(1, ["a"])).since == at(0)


def test_a_red_run_that_has_not_seen_whether_it_bills(history):
    history.add(summary(0))
    red = summary(1, ["a"], billing="not known")
    standing = history.standing(red)
    assert standing.changed and standing.since == at(1)
    assert described(red, standing) == ("new since the last run (2026-11-01 03:17 UTC): a",)
    history.add(red)
    again = history.standing(summary(2, ["a"], billing="not known"))
    assert again.since == at(1) and not again.changed
    better = summary(3)
    standing = history.standing(better)
    assert standing.since == at(0) and standing.changed and standing.changes == 0
    assert described(better, standing) == ("gone since the last run (2026-11-02 03:17 UTC): a",)


def test_what_such_a_look_finds_counts(history):
    history.add(summary(0, ["a"]))
    worse = summary(0.5, ["b"], checks=["b"], billing="does not bill")
    standing = history.standing(worse)
    assert standing.changed and standing.since == at(0.5)
    history.add(worse)
    assert history.standing(summary(1, ["b"], billing="does not bill")).since == at(0.5)


def test_checks_that_are_given_up_do_not_hold_a_state_for_ever(history):
    history.add(summary(0, ["a"]))
    assert history.standing(summary(8, checks=["b"])).since == at(8)


def test_a_finding_of_waivers_is_not_a_check_to_look_at(history):
    history.add(summary(0, ["waivers::waiver-unused[x]"]))
    assert not history.standing(summary(1)).left_out


def test_hosts_do_not_mix(history):
    history.add(summary(0, ["a"]))
    other = summary(1, host="root@other")
    assert history.standing(other).before is None
    history.add(other, Look(7.0))
    assert history.keys() == (HOST, "root@other") and history.last_look(HOST) == Look()
    project = summary(2, project="second")
    history.add(project)
    assert history.keys() == (HOST, f"{HOST} second", "root@other")


def test_runs_are_kept_whole_and_the_oldest_first(history):
    numbers = (
        Measurement("certificate_days", 40, "a"),
        Measurement("certificate_days", 12, "b"),
        Measurement("queue_age", float("nan")),
    )
    for night in range(4):
        history.add(summary(night, ["b", "a"], measurements=numbers))
    runs = history.runs(HOST, at_most=3)
    assert [run.started for run in runs] == [at(1), at(2), at(3)]
    last = runs[-1]
    assert (last.run, last.seconds, last.billing, last.exit_code) == ("run-3", 12.0, "bills, with faults", 1)
    assert last.errors == ("a", "b") and last.cause == "b" and last.scheduled
    assert last.phases == {2: "failed"} and last.measurements == {"certificate_days": 12.0}


def test_pruned_and_yet_since_when_is_known(tmp_path):
    with History(tmp_path / NAME, keep=5) as history:
        for night in range(20):
            history.add(summary(night, ["a"]))
            history.add(summary(night, host="root@other"))
        assert [run.started for run in history.runs(HOST)] == [at(each) for each in range(15, 20)]
        assert len(history.runs("root@other")) == 5
        assert history.standing(summary(20, ["a"])).since == at(0)


def test_the_last_success_outlives_what_is_pruned(tmp_path):
    with History(tmp_path / NAME, keep=2) as history:
        assert history.last_success(HOST) is None
        history.add(summary(0))
        for night in range(1, 5):
            history.add(summary(night, ["a"]))
        assert history.last_success(HOST) == at(0) + 12


def test_looks(history):
    history.add(summary(0), Look(100.0, {"disk-full": "test_disk"}))
    history.add(summary(1, scheduled=False), Look(200.0))
    history.add(unreached(2))
    assert history.last_look(HOST) == Look(200.0)
    assert history.last_look(HOST, scheduled=True) == Look(100.0, {"disk-full": "test_disk"})
    assert history.last_look(HOST, scheduled=False).observed_at == 200.0
    assert history.last_look(HOST, until=150.0).observed_at == 100.0
    assert history.last_look(HOST, until=50.0).observed_at is None


def test_alarms(history):
    assert history.last_alarm(HOST) is None
    for number in (1.0, 2.0):
        history.alarmed(HOST, LastAlarm(number, "does not bill", "no-clock-service", "run"))
    assert history.last_alarm(HOST) == LastAlarm(2.0, "does not bill", "no-clock-service", "run")
    assert history.last_alarm("root@other") is None


@pytest.mark.parametrize("junk", ["soon", b"1", -1.0, 1e300])
def test_times_that_are_none_count_as_missing(history, tmp_path, junk):
    """The file may come from an artefact, or from a host."""
    history.add(summary(0), Look(observed_at=5.0))
    history.alarmed(HOST, LastAlarm(1.0, "bills", "", "run-0"))
    history.close()
    connection = sqlite3.connect(tmp_path / NAME)
    for statement in (
        "UPDATE alarms SET sent = ?",
        "UPDATE hosts SET succeeded = ?",
        "UPDATE runs SET observed_at = ?",
    ):
        connection.execute(statement, (junk,))
    connection.commit()
    connection.close()
    assert history.last_alarm(HOST) is None and history.last_success(HOST) is None
    assert history.last_look(HOST).observed_at is None


def test_no_secret_and_no_markup_is_kept(tmp_path):
    secret = "correct-horse-battery"
    Secret(secret)
    with History(tmp_path / NAME) as history:
        history.add(
            summary(0, host=f"root@{secret}", run=f"\x1b[2J{secret}"), Look(1.0, {secret: f"x{secret}"})
        )
        history.alarmed(f"root@{secret}", LastAlarm(1.0, secret, secret, secret))
        assert history.runs(f"root@{secret}")[0].run == "\\x1b[2J<secret>"
        assert history.last_alarm(f"root@{secret}").cause == "<secret>"
        assert history.last_look(f"root@{secret}").waived == {"<secret>": "x<secret>"}
    assert not [file for file in tmp_path.iterdir() if secret.encode() in file.read_bytes()]


# --- this machine's clock jumps ---


def test_a_clock_that_jumps_back_leaves_the_order_alone(history):
    for night, red in ((5, ["a"]), (6, []), (1, ["a"])):
        history.add(summary(night, red))
    assert [run.started for run in history.runs(HOST)] == [at(5), at(6), at(1)]
    standing = history.standing(summary(2, ["a"]))
    assert standing.before.started == at(1) and standing.changes == 2


def test_since_is_not_in_the_future(history):
    history.add(summary(5, ["a"]))
    assert history.standing(summary(1, ["a"])).since == at(1)
    history.add(summary(1, ["a"]))
    assert history.standing(summary(6, ["a"])).since == at(5)


def test_since_is_not_before_the_first_run(history):
    history.add(summary(0))
    history.add(summary(-20000, ["a"]))
    assert history.standing(summary(1, ["a"])).since == at(0)


def test_a_summary_without_times_is_of_now(history):
    history.add(summary(0, started=""))
    assert history.runs(HOST)[0].started > at(0) - 400 * NIGHT
