"""What users of pytest expect works, or is refused in one sentence with exit code 4 (docs/pytest.md)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from lago_acceptance.core.resources import PYTEST_INI
from tests.support import suite_run
from tests.support.patience import PATIENCE

RULE = "suites/phase1_rsa_key/test_rules.py::test_rule[rsa-env-missing]"
BAD = "services: {api: {image: 'getlago/api:v1.16.0', privileged: true}}"


@pytest.fixture
def run(tmp_path: Path):
    """Call it with options: pytest in this project's folder, with a cache and reports of its own, and no Docker."""

    def pytest_(
        *arguments: str, typed: str = "", folder: Path = suite_run.ROOT, **environment: str
    ) -> suite_run.Result:
        ended = subprocess.run(
            suite_run.command(
                f"--reports={tmp_path / 'reports'}", "-o", f"cache_dir={tmp_path / 'cache'}", *arguments
            ),
            cwd=folder,
            env=suite_run.environment(DOCKER_HOST="tcp://127.0.0.1:9", **environment),
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert "Traceback" not in ended.stdout and "INTERNALERROR" not in ended.stdout, ended.stdout
        return suite_run.result_of(ended.returncode, ended.stdout, 0, tmp_path / "reports")

    return pytest_


@pytest.fixture
def bad(tmp_path: Path) -> str:
    """The option that names a compose file with several errors."""
    (tmp_path / "compose.yml").write_text(BAD)
    return f"--compose-file={tmp_path / 'compose.yml'}"


def rules(tmp_path: Path) -> set[str]:
    """The rules that the gate's report names."""
    return {each["rule"] for each in json.loads((tmp_path / "reports" / "gate.json").read_text())}


# --- running a part again ---


def test_lf_runs_what_failed(run, bad):
    first, again = run("-m", "gate", bad), run("-m", "gate", bad, "--lf")
    failed = re.search(r"(\d+) failed, \d+ passed", first.output)[1]
    assert first.code == again.code == 1
    assert int(failed) > 3 and f"\n{failed} failed in " in again.output


def test_ff_runs_what_failed_first(run, bad):
    run("-m", "gate", bad)
    again = run("-m", "gate", bad, "--ff", "-x")
    assert again.code == 1 and "1 failed, " in again.output and " passed" not in again.output


def test_sw_stops_at_the_first_failure_and_goes_on_there(run, bad):
    first = run("-m", "gate", bad, "--sw")
    again = run("-m", "gate", bad, "--sw")
    assert first.code == again.code == 2
    assert "continuing from this test next run" in again.output
    assert " passed" in first.output and " passed" not in again.output


def test_cache_show_shows_the_cache_and_runs_nothing(run, bad, tmp_path):
    run("-m", "gate", bad)
    (tmp_path / "reports" / "gate.json").unlink()
    for mark in ("gate", "smoke"):
        shown = run("-m", mark, "--cache-show")
        assert shown.code == 0 and "cache/lastfailed" in shown.output
    assert not (tmp_path / "reports" / "gate.json").exists() and not shown.summary


@pytest.mark.parametrize("stop", ["-x", "--maxfail=1"])
def test_a_run_can_stop_at_the_first_failure(run, bad, stop, tmp_path):
    ended = run("-m", "gate", bad, stop)
    assert ended.code == 1 and "1 failed, " in ended.output
    assert len(rules(tmp_path)) == 1


def test_a_waiver_is_not_unused_where_only_a_part_was_run(run, bad, tmp_path):
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('[[waiver]]\nid = "db-routed"\nreason = "known"\nexpires = 2999-01-01\n')
    for part in ("-x", "--sw"):
        assert "waiver-unused" not in run("-m", "gate", bad, f"--waivers={waivers}", part).output
    assert "waiver-unused" in run("-m", "gate", bad, f"--waivers={waivers}").output


def test_a_waiver_is_not_unused_where_another_phase_was_run(run, bad, tmp_path):
    waivers = tmp_path / "waivers.toml"

    def unused(id: str, *selection: str) -> bool:
        waivers.write_text(f'[[waiver]]\nid = "{id}"\nreason = "known"\nexpires = 2999-01-01\n')
        return "waiver-unused" in run(*selection, bad, f"--waivers={waivers}").output

    assert not unused("db-routed", "-m", "gate and phase1")
    assert not unused("db-routed", "suites/phase1_rsa_key", "-m", "gate")
    assert not unused("db-routed", "-m", "gate", "-k", "rsa")
    assert unused("db-routed", "-m", "gate and phase3")
    assert unused("db-routed", "suites/phase3_edge", "-m", "gate")
    assert not unused("project-renamed", "-m", "gate")


# --- looking closer ---


def test_pdb_stops_in_a_red_check(run, bad):
    ended = run("-m", "gate", bad, "--pdb", "-x", typed="continue\n")
    assert ended.code == 1 and "(Pdb)" in ended.output and "gate: 1 file, 1 error" in ended.output
    # Without an answer the debugger ends the run.
    assert run("-m", "gate", bad, "--pdb").code == 2


def test_logs_are_shown_live(run, tmp_path):
    ended = run(
        *("-m", "smoke", "--target=live", "--hosts=ssh://root@127.0.0.1:9", "--log-cli-level=DEBUG"),
        *("-p", "logs_a_word"),
        PYTHONPATH=_with_plugin(
            tmp_path,
            "logs_a_word",
            "import logging, lago_acceptance.core.secrets as secrets\n"
            "def pytest_runtest_setup():\n"
            "    secret = secrets.Secret('a-long-secret-word-of-a-user')\n"
            "    logging.getLogger('lago_acceptance').debug('live: %s', secret.reveal())\n",
        ),
    )
    assert ended.code == 6 and "live: " in ended.output
    assert "a-long-secret-word" not in ended.output


def test_collect_only_and_k_run_nothing(run, tmp_path):
    ended = run("-m", "gate", "-k", "rsa_ or rsa-env-missing", "--co", "-q")
    assert RULE in ended.output
    assert not (tmp_path / "reports").exists()


def test_fixtures_and_markers_are_listed_and_nothing_is_run(run, tmp_path):
    assert "judged" in run("--fixtures").output
    assert "the read-only core" in run("--markers").output
    assert run("--setup-plan", RULE.partition("::")[0]).code in (0, 5)
    assert not (tmp_path / "reports").exists()


# --- picking single rules, as an IDE does ---


@pytest.mark.parametrize(
    "picked", [RULE, RULE.partition("[")[0], RULE.partition("::")[0], "-k=rsa-env-missing"]
)
def test_picked_rules_judge_the_compose_file_without_a_stack(run, bad, picked, tmp_path):
    ended = run(picked, bad)
    assert ended.code == 1, ended.output
    assert "rsa-env-missing" in rules(tmp_path) and "gate: 1 file" in ended.output
    assert [each.name for each in (tmp_path / "reports").iterdir() if each.is_dir()] == []


def test_a_picked_change_compares_with_its_base(run, tmp_path):
    old, new = tmp_path / "old.yml", tmp_path / "new.yml"
    old.write_text("name: lago\n" + BAD)
    new.write_text("name: other\n" + BAD)
    change = "suites/phase0_predeployment/test_change.py::test_change[project-renamed]"
    ended = run(change, f"--compose-file={new}", f"--base={old}")
    assert ended.code == 1 and rules(tmp_path) == {"project-renamed"}, ended.output


@pytest.mark.parametrize("more", [("-m", "smoke"), ("--target", "stack")])
def test_a_rule_is_judged_on_a_stack_where_that_is_asked_for(run, more):
    ended = run(RULE, *more)
    assert ended.code == 6 and "Docker" in ended.output, ended.output


def test_a_rule_beside_other_checks_is_judged_on_a_stack(run):
    ended = run(RULE, "suites/phase1_rsa_key/test_pem.py")
    assert ended.code == 6 and "Docker" in ended.output, ended.output


# --- where pytest finds its configuration ---


@pytest.mark.parametrize("as_script", [True, False])
def test_a_file_elsewhere_is_judged_by_a_command_typed_in_the_checkout(as_script, tmp_path):
    """pytest takes the value of an option that it does not know yet for the path of its configuration."""
    (tmp_path / "compose.yml").write_text(BAD)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    given = ("--compose-file", str(tmp_path / "compose.yml"), f"--reports={tmp_path / 'reports'}")
    command = suite_run.command("-m", "gate", *given)
    if as_script:
        # As pip writes it.
        (tmp_path / "pytest").write_text("import sys, pytest\nsys.exit(pytest.console_main())\n")
        command[1:3] = [str(tmp_path / "pytest")]
    ended = subprocess.run(
        command,
        cwd=suite_run.ROOT,
        env=suite_run.environment(PYTHONPATH=_installed(tmp_path)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "privileged-container" in rules(tmp_path)


def test_another_rootdir_changes_nothing_but_the_names_of_tests(run, bad, tmp_path):
    ended = run("-m", "gate", bad, f"--rootdir={tmp_path}")
    assert ended.code == 1, ended.output
    assert "privileged-container" in rules(tmp_path)
    assert int(ended.output.split(" passed")[0].rsplit(" ", 1)[-1]) > 80


def test_from_another_folder_with_c(run, bad, tmp_path):
    ended = run("-c", str(PYTEST_INI), "-m", "gate", bad, folder=tmp_path)
    assert ended.code == 1, ended.output
    assert "privileged-container" in rules(tmp_path)


# --- refused ---


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-m", "gate", "-n2"), "-n does not help here"),
        (("-m", "gate", "-p", "xdist.plugin", "-n", "2"), "-n does not help here"),
        (("-m", "smoke", "-p", "xdist.plugin", "--tx=popen", "--dist=load"), "-n does not help here"),
        (("-m", "gate", "-p", "testinfra.plugin"), "both define --hosts"),
        (("-m", "gate", "-p", "no:terminal"), "without printing a verdict"),
    ],
)
def test_what_can_not_work_is_refused_in_a_sentence(run, arguments, words):
    ended = run(*arguments)
    assert ended.code == 4, ended.output
    assert [line for line in ended.output.splitlines() if line.startswith("ERROR: ") and words in line]


@pytest.mark.parametrize("plugin", ["", "-p lago_acceptance.plugin"])
def test_another_configuration_is_refused_in_a_sentence(plugin, tmp_path):
    own = tmp_path / "own.ini"
    own.write_text(f"[pytest]\naddopts = --disable-plugin-autoload {plugin}\n")
    ended = suite_run.ended("-c", str(own), "suites")
    said = [line for line in ended.stderr.splitlines() if line]
    assert ended.returncode == 4 and len(said) == 1, ended.stdout + ended.stderr
    assert "pytest.ini" in said[0] and str(own) in said[0]


def _with_plugin(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text)
    return os.pathsep.join([str(folder), str(suite_run.ROOT)])


def _installed(folder: Path) -> str:
    """A path on which this project is found with its entry points, as an installation has them."""
    project = tomllib.loads((suite_run.ROOT / "pyproject.toml").read_text())["project"]
    metadata = folder / "installed" / f"{project['name'].replace('-', '_')}-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0\n")
    entries = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in each.items())
        for group, each in project["entry-points"].items()
    )
    (metadata / "entry_points.txt").write_text(entries)
    return os.pathsep.join([str(metadata.parent), str(suite_run.ROOT)])
