"""``make bench`` can begin each of its benchmarks, and takes no name that is none."""

from __future__ import annotations

import importlib
import inspect

import pytest

from bench import __main__ as bench
from bench import _measuring


def test_there_are_benchmarks_of_all_vantage_points():
    assert {"gate", "stack", "live"} <= set(bench.parts())


@pytest.mark.parametrize("name", bench.parts())
def test_each_takes_the_folder_that_it_is_given(name):
    main = importlib.import_module(f"bench.{name}").main
    assert list(inspect.signature(main).parameters) == ["folder"]


def test_an_unknown_name_is_refused_with_those_that_are_known(capsys):
    assert bench.main(["gate", "nosuch"]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"there is no benchmark 'nosuch'; there are: {', '.join(bench.parts())}\n"


def test_a_name_that_is_given_twice_runs_once(monkeypatch, capsys):
    begun = []
    monkeypatch.setattr("bench.gate.main", begun.append)
    assert bench.main(["gate", "gate"]) == 0
    assert [folder.name for folder in begun] == ["gate"]


def test_one_that_fails_does_not_keep_the_others_from_running(monkeypatch, capsys):
    def fails(folder):
        raise SystemExit("no host")

    begun = []
    monkeypatch.setattr("bench.gate.main", fails)
    monkeypatch.setattr("bench.live.main", begun.append)
    assert bench.main(["gate", "live"]) == 1
    assert [folder.name for folder in begun] == ["live"]
    assert "gate could not be measured: no host" in capsys.readouterr().err


def test_a_run_that_failed_is_named_and_measured_all_the_same(capsys):
    _measuring.note_failure("a run", 1, "red")
    _measuring.note_failure("a run", 0, "green")
    said = capsys.readouterr().out
    assert "a run ended with exit code 1" in said and "red" in said and "green" not in said
