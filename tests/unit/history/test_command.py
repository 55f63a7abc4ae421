"""``lago-acceptance history``: a table, or one sentence."""

from __future__ import annotations

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.history.store import NAME, History
from tests.support.summaries import summary, unreached


@pytest.fixture
def said(tmp_path, capsys):
    """Call it with arguments: the exit code, and the lines on each stream."""

    def ran(*arguments, file=tmp_path / NAME):
        code = suite.main(["history", "--history", str(file), *arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed.out.splitlines(), printed.err.splitlines()

    return ran


@pytest.fixture
def two_hosts(tmp_path):
    """Three runs of one host, one of another."""
    with History(tmp_path / NAME) as history:
        history.add(summary(0, ["b", "a"], scheduled=False))
        history.add(unreached(1))
        history.add(summary(2))
        history.add(summary(0, host="root@other", project="second"))


def test_the_last_run_of_each_host(two_hosts, said):
    code, out, err = said()
    assert (code, err) == (0, [])
    assert out == [
        "root@billing.example",
        "  began (UTC)       billing  exit  seconds  begun by  errors",
        "  2026-11-03 03:17  bills    0     12       timer",
        "root@other second",
        "  began (UTC)       billing  exit  seconds  begun by  errors",
        "  2026-11-01 03:17  bills    0     12       timer",
    ]


@pytest.mark.parametrize("name", ["root@billing.example", "ssh://root@billing.example", "billing.example"])
def test_the_runs_of_one_host(two_hosts, said, name):
    code, out, _ = said(name)
    assert code == 0
    assert out == [
        "root@billing.example",
        "  began (UTC)       billing             exit  seconds  begun by  errors",
        "  2026-11-01 03:17  bills, with faults  1     12       hand      a, b",
        "  2026-11-02 03:17  not known           6     12       timer",
        "  2026-11-03 03:17  bills               0     12       timer",
    ]
    assert said(name, "--last", "1")[1][2:] == ["  2026-11-03 03:17  bills    0     12       timer"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody"], "has no run against nobody; it has root@billing.example, root@other second"),
        (["--history="], "argument --history: it is empty"),
        (["--history", "x" * 300], "there is no history in x"),
        (["--last", "0"], "--last 0 is not a number of runs"),
        (["--last", "many"], "--last many is not a number of runs"),
        (["--hosts", "x"], "unrecognized arguments"),
    ],
)
def test_what_can_not_be_asked(two_hosts, said, arguments, words):
    code, out, err = said(*arguments)
    assert code == 4 and out == [] and len(err) == 1 and words in err[0]


def test_without_a_history_none_is_made(tmp_path, said):
    code, _, err = said()
    assert code == 4 and "there is no history in" in err[0] and not (tmp_path / NAME).exists()


def test_a_file_that_is_none(tmp_path, said):
    theirs = tmp_path / "notes.txt"
    theirs.write_text("mine")
    code, _, err = said(file=theirs)
    assert code == 6 and "is not a history of this suite" in err[0] and theirs.read_text() == "mine"


def test_what_was_done_to_a_damaged_one_is_said(tmp_path, said):
    (tmp_path / NAME).write_text("<html>")
    code, _, err = said()
    assert code == 4 and "was damaged" in err[0] and "has no run" in err[1]


def test_names_with_terminal_escapes(tmp_path, said):
    with History(tmp_path / NAME) as history:
        history.add(summary(0, host="root@\x1b[2J\u202e", billing="bills"))
    assert said()[1][0] == "root@\\x1b[2J\\u202e"


def test_a_history_without_a_run(tmp_path, said):
    with History(tmp_path / NAME) as history:
        assert history.keys() == ()
    assert said() == (
        4,
        [],
        [f"lago-acceptance: the history {tmp_path / NAME} has no run yet; give another file with --history"],
    )
