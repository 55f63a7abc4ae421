"""The console scripts: bad input is one sentence with exit code 4, versions and pages are printed, heavy modules stay out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lago_acceptance import __version__
from lago_acceptance.cli import commands, gate, guarded, suite
from lago_acceptance.core import registry, resources
from lago_acceptance.core.verdicts import Unreachable
from tests.support import signals
from tests.support.patience import PATIENCE

SCRIPTS = {"lago-gate": gate.main, "lago-acceptance": suite.main}
NOT_THERE = "/nowhere/compose.yml"
REFUSED = {
    "lago-gate --nonsense": "unrecognized arguments: --nonsense",
    f"lago-gate {NOT_THERE}": f"{NOT_THERE} does not exist",
    f"lago-gate --settings {NOT_THERE}": f"--settings {NOT_THERE} does not exist",
    f"lago-gate --waivers {NOT_THERE}": f"--waivers {NOT_THERE} does not exist",
    f"lago-gate --env-file {NOT_THERE}": f"--env-file {NOT_THERE} does not exist",
    "lago-gate --base no-such-branch": "--base no-such-branch is neither a file nor a branch",
    "lago-gate compose --base=": "--base is empty",
    "lago-gate --explain no-clock-servic": "did you mean no-clock-service",
    "lago-acceptance": "no command given",
    "lago-acceptance --nonsense": "unrecognized arguments: --nonsense",
    "lago-acceptance bill": "there is no command 'bill'; use one of gate, smoke, live",
    "lago-acceptance smok": "there is no command 'smok'; did you mean smoke?",
    "lago-acceptance api-keys": "there is no command 'api-keys'; did you mean api-key?",
    "lago-acceptance live": "no host given: lago-acceptance live ssh://root@HOST",
    "lago-acceptance live --allow-writes": "no host given",
    "lago-acceptance explain no-such-id-at-all": "there is no finding 'no-such-id-at-all'",
    "lago-acceptance explain a b": "explain takes one finding id",
    "lago-acceptance list all": "unrecognized arguments: all",
    "lago-acceptance images all": "unrecognized arguments: all",
    "lago-acceptance version 2": "unrecognized arguments: 2",
    "lago-acceptance completion csh": "invalid choice: 'csh'",
    f"lago-acceptance gate {NOT_THERE}": f"{NOT_THERE} does not exist",
}


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Commands are called in this process, whose handlers of signals stay its own."""
    with signals.watched():
        yield


def called(command: str) -> int:
    """Call a console script in this process."""
    script, *arguments = command.split()
    return SCRIPTS[script](arguments)


@pytest.mark.parametrize("command", REFUSED)
def test_bad_input_is_one_sentence(command, capsys, monkeypatch):
    monkeypatch.chdir(resources.ROOT)
    assert called(command) == 4
    output = capsys.readouterr()
    assert output.out == ""
    assert REFUSED[command] in output.err and output.err.startswith(command.split()[0] + ": ")
    assert output.err.count("\n") == 1, output.err


def test_a_file_must_be_named_outside_of_the_checkout(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert gate.main([]) == 4
    assert capsys.readouterr().err == "lago-gate: no compose file given: lago-gate FILE...\n"


def test_the_shipped_file_is_judged_in_the_checkout(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(resources.ROOT)
    assert gate.main(["--reports", str(tmp_path)]) == 0
    assert "gate: 1 file, no finding" in capsys.readouterr().out
    assert sorted(each.name for each in tmp_path.iterdir()) == ["gate.json", "gate.sarif"]


def test_no_reports_are_written_where_none_are_wanted(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert gate.main(["--reports=", str(resources.SHIPPED_COMPOSE_FILE)]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command", ["lago-gate --version", "lago-acceptance --version", "lago-acceptance version"]
)
def test_the_versions(command, capsys):
    assert called(command) == 0
    python = ".".join(map(str, sys.version_info[:3]))
    assert (
        capsys.readouterr().out
        == f"lago-acceptance {__version__}\nPython {python}\nDocker Compose {resources.compose_version()}\n"
    )
    assert resources.compose_version()[0].isdigit()


@pytest.mark.parametrize(
    "command", ["lago-gate --list", "lago-gate --explain", "lago-acceptance list", "lago-acceptance explain"]
)
def test_all_ids_are_listed(command, capsys):
    assert called(command) == 0
    listed = capsys.readouterr().out
    for entry in registry.entries().values():
        assert f"  {entry.id} " in listed and entry.title in listed


@pytest.mark.parametrize("id", sorted(registry.entries()))
def test_each_id_has_a_page(id, capsys):
    assert called(f"lago-acceptance explain {id}") == 0
    assert capsys.readouterr().out.startswith(f"{id}: ")


def test_an_old_id_explains_the_one_that_took_its_place(capsys, monkeypatch):
    monkeypatch.setitem(registry.ALIASES, "clock-missing", "no-clock-service")
    assert called("lago-gate --explain clock-missing") == 0
    assert capsys.readouterr().out.startswith(
        "clock-missing is now called no-clock-service.\nno-clock-service: "
    )


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (Unreachable("Compose is missing"), 6, "tool: Compose is missing"),
        (KeyboardInterrupt(), 2, "tool: interrupted"),
        (ValueError("a defect"), 3, "internal error of the suite"),
    ],
)
def test_what_else_ends_a_command(error, code, words, capsys):
    def run(arguments):
        raise error

    assert guarded("tool", run, []) == code
    assert words in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error():
    command = f"{sys.executable} -m lago_acceptance list | head -n 1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=resources.ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert ended.stdout.startswith("Phase 0") and ended.stderr == ""


HEAVY = ("pytest", "httpx", "testinfra", "docker", "testcontainers", "playwright", "lago_acceptance.checks")


def test_the_gate_loads_nothing_that_it_does_not_need():
    program = (
        "import sys; from lago_acceptance.cli.gate import main; code = main(['--reports=']); "
        f"print([name for name in {HEAVY} if name in sys.modules]); raise SystemExit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=resources.ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0 and ended.stdout.endswith("\n[]\n"), ended.stdout + ended.stderr


def test_tests_are_named_as_reports_print_them(monkeypatch):
    given = []
    monkeypatch.setattr("pytest.main", lambda arguments: given.append(arguments) or 0)
    common = ["-c", str(resources.PYTEST_INI), "-m", "smoke"]
    assert suite.main(["smoke", "--keep"]) == 0
    assert suite.main(["smoke", "suites/phase0_predeployment/test_rules.py::test_rule"]) == 0
    assert suite.main(["live", "ssh://a", "ssh://b", "--ca-file", "x.pem"]) == 0
    assert given == [
        [*common, "--keep", str(resources.SUITES)],
        [*common, str(resources.SUITES / "phase0_predeployment" / "test_rules.py::test_rule")],
        [
            *common[:2],
            "--target",
            "live",
            "--hosts",
            "ssh://a,ssh://b",
            "--ca-file",
            "x.pem",
            str(resources.SUITES),
        ],
    ]


def test_a_command_without_its_extra_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(commands, "find_spec", lambda name: None if name == "testcontainers" else object())
    assert suite.main(["smoke"]) == 4
    assert capsys.readouterr().err == (
        "lago-acceptance: smoke needs more than the gate (testcontainers not found): "
        "pip install 'lago-acceptance[stack]'\n"
    )


def test_a_module_of_this_package_is_one_more_way_in():
    ended = subprocess.run(
        [sys.executable, "-m", "lago_acceptance", "version"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0 and ended.stdout.startswith(f"lago-acceptance {__version__}\n")


def test_the_help_names_each_command_once_under_its_group(capsys):
    with pytest.raises(SystemExit) as ended:
        suite.main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    for command in commands.COMMANDS.values():
        assert f"\n{command.group}:\n" in shown
        assert shown.count(f"\n  {f'{command.name} {command.takes}'.strip()}  ") == 1, command.name


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_the_help_of_a_command_fits_a_terminal(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        suite.main([name, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert shown.startswith(("usage: lago-acceptance ", "usage: lago-gate "))
    assert [line for line in shown.splitlines() if len(line) > 80] == []


def test_the_help_of_a_vantage_point_has_no_option_of_the_other(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = {}
    for name in ("smoke", "live"):
        with pytest.raises(SystemExit):
            suite.main([name, "--help"])
        shown[name] = capsys.readouterr().out
    assert "--allow-mount" in shown["smoke"] and "--allow-mount" not in shown["live"]
    assert "--allow-writes" in shown["live"] and "--allow-writes" not in shown["smoke"]
    assert not any("--explain" in each or "--target" in each for each in shown.values())


def test_the_help_loads_no_command():
    program = (
        "import sys; from lago_acceptance.cli.suite import parser; parser().format_help(); "
        f"print([name for name in {(*HEAVY, 'lago_acceptance.cli.deploy', 'shtab')} if name in sys.modules])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=resources.ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert ended.stdout == "[]\n"
