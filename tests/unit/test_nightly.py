"""``nightly``, ``live`` and ``merge`` as they are typed: what is looked at, where alarms go, and the exit code."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import subprocess
import time

import msgspec
import pytest

from lago_acceptance.alarms import heartbeat
from lago_acceptance.alarms import night as told
from lago_acceptance.cli import many, suite
from lago_acceptance.core import report_files
from lago_acceptance.fleet import night
from lago_acceptance.fleet.merge import fleet
from lago_acceptance.history.store import History
from lago_acceptance.hosts.base import CommandResult
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.reports.verdict import BILLS
from tests.support import signals
from tests.support.fake_host_run import TIMING_ID, summary
from tests.support.paths import DATA

ALARMS = 'heartbeat = "http://127.0.0.1:9/beat"\ntargets = ["json://127.0.0.1:9/"]\n'


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    """Runs that reach no host, and this process's handlers of signals as they were."""
    monkeypatch.setattr(many, "CHILD", ("tests.support.fake_host_run",))
    monkeypatch.setattr(night, "TIMING", frozenset({TIMING_ID}))
    monkeypatch.delenv("LAGO_ACCEPTANCE_ALARMS", raising=False)
    with signals.watched():
        yield


@pytest.fixture
def sent(monkeypatch):
    """What heartbeat and alarms were asked to send, in order."""
    asked: list[tuple] = []
    monkeypatch.setattr(heartbeat, "start", lambda settings: asked.append(("start",)) or [])
    monkeypatch.setattr(heartbeat, "success", lambda settings: asked.append(("success",)) or [])
    monkeypatch.setattr(
        heartbeat, "fail", lambda settings, code: asked.append(("fail", code)) or ["it is down"]
    )

    def report(settings, summaries, last, now, success):
        asked.append(("report", {key: alarm and alarm.billing for key, alarm in last.items()}))
        arrived = {each.key: told.Sent(now, each.billing, "api-unhealthy", each.run) for each in summaries}
        return told.Report(
            warnings=["a target is down"],
            sent={key: each for key, each in arrived.items() if each.billing != BILLS},
        )

    monkeypatch.setattr(told, "report", report)
    return asked


@pytest.fixture
def alarms(tmp_path):
    """A file with the targets of alarms."""
    file = tmp_path / "alarms.toml"
    file.write_text(ALARMS)
    file.chmod(0o600)
    return str(file)


def calls(reports, name):
    """The options of each run against a host."""
    return (reports / name / "calls").read_text().splitlines()


def test_the_look_of_a_night(tmp_path, capsys):
    assert suite.main(["nightly", "ssh://a", "ssh://red", "--reports", str(tmp_path), "-k", "x"]) == 1
    (call,) = calls(tmp_path, "a")
    assert "-m smoke or nightly -k x --scheduled --hosts ssh://a " in call
    output = capsys.readouterr().out
    assert "ssh://a: accepted" in output and "looked at a" not in output
    assert (tmp_path / "index.html").is_file() and (tmp_path / "summary.json").is_file()


def test_with_writes_the_billing_cycle_runs_too(tmp_path):
    assert suite.main(["nightly", "ssh://a", "--reports", str(tmp_path), "--allow-writes"]) == 0
    assert "-m smoke or nightly or writes --allow-writes " in calls(tmp_path, "a")[0]


def test_nothing_is_sent_where_nothing_is_configured(tmp_path, sent):
    assert suite.main(["nightly", "ssh://red", "--reports", str(tmp_path)]) == 1
    assert [each for each in sent if each[0] == "report"] == []


def test_the_heartbeat_and_the_alarms_of_a_red_night(tmp_path, alarms, sent, capsys):
    given = ["nightly", "ssh://red", "--reports", str(tmp_path), "--alarms", alarms]
    assert suite.main(given) == 1
    assert sent == [("start",), ("report", {"red": None}), ("fail", 1)]
    said = capsys.readouterr().err
    assert "warning: a target is down\n" in said and "warning: it is down\n" in said
    del sent[:]
    # What was sent is remembered, so that it is not sent again.
    assert suite.main(given) == 1
    assert sent[1] == ("report", {"red": "bills, with faults"})


@pytest.fixture
def here(monkeypatch):
    """Hosts that are this machine, and not reached by ssh: their names, in the order in which they were asked."""
    asked: list[str] = []

    class Here(LocalHost):
        def __init__(self, address, ssh_config=None):
            self.name = address.spec
            asked.append(f"{address.spec} {ssh_config.name if ssh_config else ''}".strip())

        def change(self, change, permit, give_up=None):
            ended = subprocess.run(
                ["sh", "-s"], input=change.script(), capture_output=True, text=True, timeout=60, check=False
            )
            return CommandResult(ended.returncode, ended.stdout + ended.stderr)

        def close(self):
            pass

    monkeypatch.setattr("lago_acceptance.hosts.ssh.SshHost", Here)
    return asked


def test_alarms_of_a_runner_that_forgets(tmp_path, alarms, sent, here, capsys):
    """What was sent is remembered where the run itself is: on the host."""
    place, config = tmp_path / "on the host" / "history.sqlite3", tmp_path / "ssh_config"
    config.touch()
    given = ["nightly", "ssh://red", "--alarms", alarms, "--history-on-host", str(place)]
    given += ["--ssh-config", str(config)]
    for number, last in enumerate((None, "bills, with faults")):
        assert suite.main([*given, "--reports", str(tmp_path / str(number))]) == 1
        assert sent[3 * number + 1] == ("report", {"red": last})
        assert str(place) not in capsys.readouterr().err
    call = calls(tmp_path / "0", "red")[0]
    assert (
        f"--history-on-host {place}" in call and f"--ssh-config {config}" in call and "--history " not in call
    )
    assert here == ["ssh://red ssh_config"] * 2
    with History(place) as history:
        assert history.last_alarm("red").billing == "bills, with faults"


def test_a_history_on_a_host_that_can_not_be_used_is_a_warning(tmp_path, alarms, sent, here, capsys):
    place = tmp_path / "history.sqlite3"
    place.mkdir()
    given = ["nightly", "ssh://red", "ssh://killed", "--alarms", alarms, "--history-on-host", str(place)]
    assert suite.main([*given, "--reports", str(tmp_path / "reports")]) == 3
    said = capsys.readouterr().err
    assert f"warning: the history {place} on ssh://red can't be used: it is not a regular file" in said
    with History(tmp_path / "reports" / "history.sqlite3") as history:
        assert history.last_alarm("red").billing == "bills, with faults", "this machine knows it all the same"


def test_the_history_on_a_host_that_was_not_reached_is_not_asked_for(
    tmp_path, alarms, sent, here, monkeypatch
):
    monkeypatch.setattr("lago_acceptance.fleet.run.END_SECONDS", 1)
    given = ["nightly", "ssh://hang", "--host-deadline", "0.5", "--confirm-seconds", "0", "--alarms", alarms]
    given += ["--history-on-host", str(tmp_path / "history.sqlite3"), "--reports", str(tmp_path)]
    assert suite.main(given) == 6 and here == []


def test_the_heartbeat_of_a_good_night(tmp_path, alarms, sent):
    assert suite.main(["nightly", "ssh://a", "--reports", str(tmp_path), "--alarms", alarms]) == 0
    assert sent == [("start",), ("report", {"a": None}), ("success",)]


def test_the_heartbeat_of_a_night_that_breaks_off(tmp_path, alarms, sent, monkeypatch):
    def broken(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(night, "look_twice", broken)
    assert suite.main(["nightly", "ssh://a", "--reports", str(tmp_path), "--alarms", alarms]) == 2
    assert sent == [("start",), ("fail", 2)]


def test_targets_that_are_down_are_warnings(tmp_path, alarms, capsys):
    """Nobody listens there."""
    assert suite.main(["nightly", "ssh://a", "--reports", str(tmp_path), "--alarms", alarms]) == 0
    assert "warning: " in capsys.readouterr().err


def test_a_second_look_counts(tmp_path):
    given = ["nightly", "ssh://moment", "--reports", str(tmp_path), "--confirm-seconds", "0.1"]
    assert suite.main(given) == 0
    assert len(calls(tmp_path, "moment")) == 2
    (host,) = json.loads((tmp_path / "summary.json").read_text())["hosts"]
    assert "the first look" in host["notes"][0]


def test_no_second_look_where_none_is_wanted(tmp_path):
    given = ["nightly", "ssh://moment", "--reports", str(tmp_path), "--confirm-seconds", "0"]
    assert suite.main(given) == 1 and len(calls(tmp_path, "moment")) == 1


def test_another_night_on_the_same_reports(tmp_path, alarms, sent, capsys):
    with (tmp_path / night.LOCK).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert suite.main(["nightly", "ssh://a", "--reports", str(tmp_path), "--alarms", alarms]) == 6
    assert capsys.readouterr().err.startswith(
        "lago-acceptance: another nightly run (process unknown) is writing to"
    )
    assert sent == [] and not (tmp_path / "a").exists()


@pytest.mark.parametrize("command", ["live", "nightly"])
def test_an_inventory_and_its_parts(command, tmp_path):
    inventory = tmp_path / "hosts"
    inventory.write_text("[g]\nh[1:4]\n[other]\nred\n")
    given = ["--inventory", str(inventory), "--limit", "g", "--part", "1/2", "--reports", str(tmp_path)]
    assert suite.main([command, *given]) == 0
    hosts = json.loads((tmp_path / "summary.json").read_text())["hosts"]
    assert [host["host"] for host in hosts] == ["h2", "h4"]


@pytest.mark.parametrize(("name", "code"), [("a", 0), ("red", 2), ("killed", 3)])
@pytest.mark.parametrize("command", ["live", "nightly"])
def test_as_a_plugin_of_nagios(command, name, code, tmp_path, capsys):
    assert suite.main([command, f"ssh://{name}", "--nagios", "--reports", str(tmp_path)]) == code
    output = capsys.readouterr()
    assert name in output.out.splitlines()[0] and "=====" not in output.out
    assert "===== verdicts" in output.err


def test_metrics(tmp_path, capsys):
    file = tmp_path / "lago.prom"
    given = [
        "nightly",
        "ssh://a",
        "ssh://red",
        "--metrics",
        str(file),
        "--reports",
        str(tmp_path / "reports"),
    ]
    assert suite.main(given) == 1
    assert 'host="red"' in file.read_text() and file.stat().st_mode & 0o444 == 0o444
    file.unlink()
    file.mkdir()
    assert suite.main(given) == 1
    assert f"warning: {file} can't be written" in capsys.readouterr().err


def test_a_host_by_its_option_and_one_that_is_named_first(tmp_path):
    given = ["nightly", "ssh://a", "--hosts", "ssh://b,ssh://c", "--reports", str(tmp_path)]
    assert suite.main(given) == 0
    assert all((tmp_path / name / "calls").exists() for name in "abc")


REFUSED = {
    "nightly": "no host given: lago-acceptance nightly",
    "nightly ssh://a ssh://a": "ssh://a is named twice",
    "nightly a": "write ssh://a",
    "nightly ssh://a --limit g": "--limit needs --inventory",
    "nightly ssh://a --part 4/4": "--part 4/4 is not a part",
    "nightly ssh://a --confirm-seconds -1": "--confirm-seconds -1 is not 0 to 3600 seconds",
    "nightly ssh://a --host-deadline 0": "--host-deadline 0 is not a time limit",
    "nightly ssh://a --alarms /nowhere": "/nowhere can't be read",
    "nightly ssh://a --metrics /nowhere/lago.prom": "--metrics /nowhere/lago.prom: its folder does not exist",
    "nightly --inventory /nowhere": "--inventory /nowhere does not exist",
    "live --inventory /nowhere": "--inventory /nowhere does not exist",
    "live ssh://a --limit g": "--limit needs --inventory",
    "merge": "the following arguments are required: DIR",
    "merge /nowhere": "/nowhere is not there",
    "merge /etc/hostname": "/etc/hostname is not a folder",
    "merge /etc --max-age nan": "--max-age nan is not a number of hours",
    "merge /etc --max-age inf": "--max-age inf is not a number of hours",
    "merge /etc --max-age -1": "--max-age -1 is not a number of hours",
    "merge /etc --max-age soon": "--max-age soon is not a number of hours",
    f"merge {'x' * 300}": "is not there",
    f"nightly ssh://a --metrics /{'x' * 300}/m": "its folder does not exist",
    "merge /etc --settings /nowhere": "the settings file /nowhere does not exist",
    "merge /etc --limit g": "--limit needs --inventory",
    "merge /etc --metrics=": "argument --metrics: it is empty",
    "nightly ssh://a --metrics=": "argument --metrics: it is empty",
    "nightly ssh://a --alarms=": "argument --alarms: it is empty",
    "live ssh://a --history=": "argument --history: it is empty",
    "nightly --inventory /etc/hosts --limit=": "argument --limit: it is empty",
    "nightly ssh://a --part=": "argument --part: it is empty",
    "nightly ssh://a --history-on-host=": "argument --history-on-host: it is empty",
    "nightly ssh://a --history-on-host var": "--history-on-host 'var' is not a file",
    "nightly ssh://a --history-on-host /var/h --history h": "leave one of them out",
    "live --inventory=": "argument --inventory: it is empty",
}


@pytest.mark.parametrize("command", REFUSED)
def test_bad_input_is_one_sentence(command, tmp_path, capsys):
    words = command.split()
    assert suite.main([*words, "--reports", str(tmp_path)]) == 4
    said = capsys.readouterr().err
    assert REFUSED[command] in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "command", ["live ssh://a --part 9/9", "nightly", "merge /nowhere", "merge --nonsense"]
)
def test_a_plugin_of_nagios_that_can_not_look_is_unknown(command, tmp_path, capsys):
    """Another exit code than 0 to 3 has no meaning there, and what is on standard error nobody sees."""
    assert suite.main([*command.split(), "--nagios", "--reports", str(tmp_path)]) == 3
    assert re.fullmatch(r"LAGO UNKNOWN - [^|\n]+\n", capsys.readouterr().out)


@pytest.mark.parametrize("command", ["live", "nightly", "merge"])
def test_each_has_a_page_of_help(command, capsys):
    try:
        code = suite.main([command, "--help"])
    except SystemExit as ended:
        code = ended.code
    assert code == 0 and "--metrics FILE" in capsys.readouterr().out


# --- merge ---


def part(folder, *summaries):
    """A folder of reports with the summary of these."""
    folder.mkdir(parents=True)
    content = fleet(summaries)
    report_files.write(folder / "summary.json", msgspec.json.encode(content))


def merged(tmp_path, *more):
    """Merge what is in parts, into ``out``: the exit code."""
    return suite.main(["merge", str(tmp_path / "parts"), "--reports", str(tmp_path / "out"), *more])


def test_parts_become_one_result(tmp_path, capsys):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"), summary("b", 1, "b-1", ("api-unhealthy",)))
    part(tmp_path / "parts" / "1", summary("c", 0, "c-1"))
    # The summary of one host, as it lies beside.
    (tmp_path / "parts" / "2" / "d").mkdir(parents=True)
    summary("d", 0, "d-1").write(tmp_path / "parts" / "2" / "d" / "summary.json")
    assert merged(tmp_path) == 1
    result = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert [host["host"] for host in result["hosts"]] == ["a", "b", "c", "d"] and result["exit_code"] == 1
    assert (tmp_path / "out" / "index.html").is_file()
    assert "b: not accepted" in capsys.readouterr().out
    with History(tmp_path / "out" / "history.sqlite3") as history:
        assert set(history.keys()) == {"a", "b", "c", "d"}


def test_merging_again_adds_nothing_to_the_history_and_takes_no_merged_result_for_a_part(tmp_path):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    given = ["merge", str(tmp_path), "--reports", str(tmp_path / "out")]
    assert [suite.main(given), suite.main(given)] == [0, 0]
    with History(tmp_path / "out" / "history.sqlite3") as history:
        assert len(history.runs("a")) == 1


def test_of_two_looks_at_a_host_the_newer_counts(tmp_path):
    now = time.time()
    part(tmp_path / "parts" / "0", summary("a", 1, "a-1", ("api-unhealthy",), started=now - 7200))
    part(tmp_path / "parts" / "1", summary("a", 0, "a-2", started=now))
    assert merged(tmp_path) == 0


def test_a_host_that_was_looked_at_long_ago_has_no_verdict(tmp_path, capsys):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1", started=time.time() - 7200))
    assert merged(tmp_path, "--max-age", "3") == 0
    assert merged(tmp_path, "--max-age", "1") == 6
    assert "no verdict: a was last checked on 20" in capsys.readouterr().out


def test_a_host_of_the_inventory_without_a_summary(tmp_path, capsys):
    inventory = tmp_path / "hosts"
    inventory.write_text("a\nb ansible_user=root\n")
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    assert merged(tmp_path, "--inventory", str(inventory)) == 6
    assert "no verdict: root@b has no summary" in capsys.readouterr().out


def test_a_host_without_a_verdict_is_unknown_to_nagios(tmp_path, capsys):
    """It is in no summary, so that nothing but the line itself can tell."""
    inventory = tmp_path / "hosts.toml"
    inventory.write_text('[[host]]\naddress = "ssh://a"\n[[host]]\naddress = "ssh://b"\n')
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    assert merged(tmp_path, "--nagios", "--inventory", str(inventory)) == 3
    output = capsys.readouterr()
    assert output.out.startswith("LAGO UNKNOWN - no verdict: b has no summary | ")
    assert "a: accepted" in output.err


def test_an_old_look_is_unknown_to_nagios(tmp_path, capsys):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1", started=time.time() - 7200))
    assert merged(tmp_path, "--nagios", "--max-age", "1") == 3
    assert capsys.readouterr().out.startswith("LAGO UNKNOWN - no verdict: a was last checked on 20")


def test_a_look_by_a_clock_that_is_ahead_is_no_verdict(tmp_path, capsys):
    """It would stay new for as long as that clock was ahead."""
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1", started=time.time() + 86400))
    assert merged(tmp_path, "--max-age", "12") == 6
    assert "by a clock that is ahead of this machine's" in capsys.readouterr().out


def test_the_project_of_hosts_that_name_none(tmp_path):
    inventory = tmp_path / "hosts.toml"
    inventory.write_text('[[host]]\naddress = "ssh://a"\n')
    part(tmp_path / "parts" / "0", msgspec.structs.replace(summary("a", 0, "a-1"), project="billing"))
    assert merged(tmp_path, "--inventory", str(inventory)) == 6
    assert merged(tmp_path, "--inventory", str(inventory), "--project", "billing") == 0


@pytest.mark.parametrize("code", [99, -9, 2**70])
def test_an_exit_code_that_no_run_ends_with_is_not_good(code, tmp_path):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"), summary("b", code, "b-1"))
    assert merged(tmp_path) == 3


def test_a_pipe_in_the_place_of_a_summary(tmp_path, capsys):
    """To read it would take until somebody writes."""
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    (tmp_path / "parts" / "1").mkdir()
    os.mkfifo(tmp_path / "parts" / "1" / "summary.json")
    assert merged(tmp_path) == 6
    assert "summary.json is not a regular file" in capsys.readouterr().out


def test_a_link_to_itself_in_the_place_of_a_summary(tmp_path, capsys):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    (tmp_path / "parts" / "1").mkdir()
    (tmp_path / "parts" / "1" / "summary.json").symlink_to("summary.json")
    assert merged(tmp_path) == 6
    assert "summary.json can't be read: Too many levels of symbolic links" in capsys.readouterr().out


def test_a_folder_that_may_not_be_entered_is_named(tmp_path, capsys, monkeypatch):
    """What is in it might be red."""
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    closed = tmp_path / "parts" / "closed"
    closed.mkdir()
    scandir = os.scandir

    def refusing(folder):
        if str(folder) == str(closed):
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    assert merged(tmp_path) == 6
    assert f"no verdict: {closed} can't be read: Permission denied" in capsys.readouterr().out


def test_a_summary_that_is_too_large_is_not_read(tmp_path, capsys):
    (tmp_path / "parts").mkdir()
    with (tmp_path / "parts" / "summary.json").open("wb") as file:
        file.truncate(10**12)
    assert merged(tmp_path) == 6
    assert "summary.json is larger than 256 MiB" in capsys.readouterr().out


def test_a_format_whose_fields_are_others_is_named(tmp_path, capsys):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "summary.json").write_text('{"format": 2, "hosts": {"a": 1}}')
    assert merged(tmp_path) == 6
    assert "has format 2, but this version of the suite reads format 1" in capsys.readouterr().out


DAMAGED = {
    "cut off": b'{"format": 1, "hosts": [{"run":',
    "foreign": b'{"name": "lago"}',
    "empty": b"",
    "not text": b"\xff\xfe\x00",
    "of another format": b'{"format": 2, "exit_code": 0, "hosts": []}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_summary_is_one_sentence_and_hides_no_other(name, tmp_path, capsys):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    (tmp_path / "parts" / "1").mkdir()
    (tmp_path / "parts" / "1" / "summary.json").write_bytes(DAMAGED[name])
    assert merged(tmp_path) == 6
    output = capsys.readouterr()
    (line,) = [line for line in output.out.splitlines() if line.startswith("no verdict: ")]
    assert str(tmp_path / "parts" / "1" / "summary.json") in line
    assert "a: accepted" in output.out and "Traceback" not in output.out + output.err


def test_folders_without_a_summary(tmp_path, capsys):
    (tmp_path / "parts").mkdir()
    assert merged(tmp_path) == 6
    assert f"no verdict: no summary of a run is in {tmp_path / 'parts'}" in capsys.readouterr().out


def test_as_many_runs_are_kept_as_the_settings_say(tmp_path):
    """Also by a merge, and by a night in which a host was not reached."""
    settings = tmp_path / "settings.toml"
    settings.write_text((DATA / "settings.toml").read_text().replace("history = 1000", "history = 90"))
    part(tmp_path / "parts" / "0", summary("a", 0, "last"))
    with History(tmp_path / "out" / "history.sqlite3") as history:
        for number in range(90):
            history.add(summary("a", 0, f"a-{number}"))
            history.add(summary("killed", 0, f"k-{number}"))
        assert merged(tmp_path, "--settings", str(settings)) == 0
        given = ["nightly", "ssh://killed", "--reports", str(tmp_path / "out"), "--settings", str(settings)]
        assert suite.main(given) == 3
        assert [len(history.runs(key, 200)) for key in ("a", "killed")] == [90, 90]
        assert history.runs("a")[-1].run == "last"


def test_names_with_markup_and_escapes(tmp_path, capsys):
    part(tmp_path / "parts" / "0", summary("<script>a\x1b[31m", 0, "a-1"))
    assert merged(tmp_path) == 0
    assert "\x1b" not in capsys.readouterr().out
    for file in ("summary.json", "index.html"):
        assert "\x1b" not in (tmp_path / "out" / file).read_text()
    assert "<script>a" not in (tmp_path / "out" / "index.html").read_text()


def test_a_history_that_can_not_be_used_changes_no_verdict(tmp_path, capsys):
    part(tmp_path / "parts" / "0", summary("a", 0, "a-1"))
    (tmp_path / "out" / "history.sqlite3").mkdir(parents=True)
    assert merged(tmp_path) == 0
    assert "warning: " in capsys.readouterr().err and os.path.isfile(tmp_path / "out" / "summary.json")
