"""``make report``: which runs it shows, what it remembers, and what it says where it can't be made."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from lago_acceptance.cli import report
from lago_acceptance.reports import allure
from lago_acceptance.reports.summary import Check, Summary

# Does what Allure does with history and output, and notes how it was called.
PRETENDED = """#!/usr/bin/env python3
import json, pathlib, sys
command, words = sys.argv[1], sys.argv[2:]
option = lambda name: words[words.index(name) + 1]
if command == "history":
    history, name, results = option("--history-path"), option("--report-name"), words[6:]
else:
    config = json.loads(pathlib.Path(option("--config")).read_text())
    history, name, results = config["historyPath"], config["name"], words[4:]
    output = pathlib.Path(config["output"])
    output.mkdir()
    (output / "index.html").write_text("<html><head></head><body>%s</body></html>" % name)
    (pathlib.Path(__file__).parent / "config.json").write_text(json.dumps(config))
assert all(pathlib.Path(each).is_dir() for each in results), results
with open(history, "a") as file:
    file.write(json.dumps({"name": name, "testResults": {}}) + "\\n")
with open(pathlib.Path(__file__).parent / "calls", "a") as file:
    file.write(command + " " + " ".join(pathlib.Path(each).parent.name for each in results) + "\\n")
"""
FIRST, SECOND, THIRD = (f"2026112{day}-120000-abcdef" for day in range(1, 4))


class Program:
    """A pretended Allure in a cache of its own."""

    def __init__(self, cache: Path):
        self.bin = cache / "lago-acceptance" / f"allure-{report.VERSION}" / "node_modules" / ".bin"
        self.bin.mkdir(parents=True)
        (self.bin / "allure").write_text(PRETENDED)
        (self.bin / "allure").chmod(0o755)

    def calls(self) -> list[str]:
        """How it was called since this was asked last."""
        calls = (self.bin / "calls").read_text().splitlines()
        (self.bin / "calls").unlink()
        return calls

    def config(self) -> dict:
        return json.loads((self.bin / "config.json").read_text())


@pytest.fixture
def program(tmp_path, monkeypatch) -> Program:
    """Allure is installed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("node", "npm"):
        (tools / name).write_text("#!/bin/sh\nexit 1\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    return Program(tmp_path / "cache")


@pytest.fixture
def reports(tmp_path) -> Path:
    return tmp_path / "reports"


def run(folder: Path, id: str, host: str = "root@a") -> None:
    """What a run has left."""
    summary = Summary(
        run=id,
        version="1",
        target="live",
        host=host,
        billing="bills",
        verdict="accepted",
        exit_code=0,
        seconds=1.0,
        timings={},
        stand_ins=(),
        images={},
        notes=(),
        checks=(Check("suites/a.py::test_b", 2, "passed", 1.0, 1.0),),
    )
    allure.write(folder / id / "allure", summary)
    summary.write(folder / id / "summary.json")


def test_the_newest_run_is_shown_and_those_before_are_remembered(program, reports, capsys):
    for id in (FIRST, SECOND):
        run(reports, id)
    assert report.main(["--reports", str(reports)]) == 0
    assert program.calls() == [f"history {FIRST}", f"generate {SECOND}"]
    assert capsys.readouterr().out.splitlines() == [
        f"root@a: run {SECOND}, accepted",
        f"open {reports / report.REPORT}",
    ]
    assert program.config()["name"] == f"Lago on root@a: bills, run {SECOND}"
    run(reports, THIRD)
    assert report.main(["--reports", str(reports)]) == 0
    assert program.calls() == [f"generate {THIRD}"]
    assert len((reports / report.HISTORY).read_text().splitlines()) == 3


def test_built_again_it_is_not_its_own_past(program, reports):
    for id in (FIRST, SECOND):
        run(reports, id)
    for _ in range(2):
        assert report.main(["--reports", str(reports)]) == 0
    lines = (reports / report.HISTORY).read_text().splitlines()
    assert [FIRST in line or SECOND in line for line in lines] == [True, True]


def test_the_newest_run_of_each_host_is_shown(program, reports, capsys):
    run(reports / "root@a", FIRST)
    run(reports / "root@a", SECOND)
    run(reports / "root@b", THIRD, "root@b")
    assert report.main(["--reports", str(reports)]) == 0
    assert program.calls()[-1] == f"generate {SECOND} {THIRD}"
    assert program.config()["name"] == f"Lago on 2 hosts, runs {SECOND}, {THIRD}"


def test_a_run_can_be_chosen(program, reports, capsys):
    for id in (FIRST, SECOND):
        run(reports, id)
    assert report.main(["--reports", str(reports), "--run", FIRST]) == 0
    assert program.calls() == [f"generate {FIRST}"]
    assert report.main(["--reports", str(reports), "--run", THIRD]) == 4
    assert f"no run {THIRD} with results for Allure is in {reports}" in capsys.readouterr().err


def test_the_page_reaches_nobody_and_is_its_owners(program, reports):
    run(reports, FIRST)
    assert report.main(["--reports", str(reports)]) == 0
    page = reports / report.REPORT
    assert "Content-Security-Policy" in page.read_text().partition("</head>")[0]
    assert "http" not in report.OFFLINE.replace("http-equiv", "")
    for file in (page, reports / report.HISTORY):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert program.config()["plugins"]["awesome"]["options"]["groupBy"] == ["epic", "feature", "story"]


def test_a_history_that_is_damaged_is_begun_again(program, reports):
    run(reports, FIRST)
    (reports / report.HISTORY).write_bytes(b'{"name": 3}\n\xff\xfe not json\n')
    assert report.main(["--reports", str(reports)]) == 0
    assert len((reports / report.HISTORY).read_text().splitlines()) == 1


def test_runs_of_another_format_and_links_are_left_out(program, reports):
    run(reports, FIRST)
    run(reports, SECOND)
    (reports / SECOND / "summary.json").write_text('{"format": 99}')
    (reports / "latest").symlink_to(FIRST)
    (reports / THIRD).symlink_to(FIRST)
    assert [each.name for each in report.runs_in(reports)] == [FIRST]


def test_without_runs_it_says_what_to_type(program, reports, capsys):
    assert report.main(["--reports", str(reports)]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "make smoke" in said


def test_without_node_it_says_what_to_install(reports, tmp_path, monkeypatch, capsys):
    run(reports, FIRST)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert report.main(["--reports", str(reports)]) == 6
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "apt-get install nodejs npm" in said


def test_what_npm_and_allure_say_is_passed_on(program, reports, capsys):
    run(reports, FIRST)
    (program.bin / "allure").write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    assert report.main(["--reports", str(reports)]) == 6
    assert "Allure can't build its report: no space left" in capsys.readouterr().err
    (program.bin / "allure").unlink()
    assert report.main(["--reports", str(reports)]) == 6
    assert "can't be installed by npm" in capsys.readouterr().err
    # No half of an installation is left.
    assert [each.name for each in (program.bin.parents[2]).iterdir()] == [f"allure-{report.VERSION}"]


def test_a_program_that_hangs_is_ended(program, reports, monkeypatch, capsys):
    run(reports, FIRST)
    monkeypatch.setattr(report, "BUILD_SECONDS", 0.5)
    (program.bin / "allure").write_text("#!/bin/sh\nexec sleep 60\n")
    assert report.main(["--reports", str(reports)]) == 6
    assert "took longer than" in capsys.readouterr().err


def test_a_folder_that_cant_be_written_is_said(program, reports, monkeypatch, capsys):
    run(reports, FIRST)
    (reports / report.REPORT).mkdir()
    assert report.main(["--reports", str(reports)]) == 6
    assert "can't be written" in capsys.readouterr().err
