"""``lago-acceptance upgrade-path``: text that can be read and copied, JSON, and one sentence for what it can't use."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from lago_acceptance.cli import suite
from lago_acceptance.cli.upgrade_path_text import text
from lago_acceptance.composefile.upgrade_files import read_files
from lago_acceptance.composefile.upgrade_plan import planned
from lago_acceptance.core import resources
from lago_acceptance.core.exit_codes import ACCEPTED, USAGE
from lago_acceptance.core.settings import load
from lago_acceptance.lago.changes import ApiChange
from lago_acceptance.lago.upgrade_path import named
from tests.support import signals
from tests.support.patience import PATIENCE

PATH = "upgrade-path"


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """The command is called in this process, whose handlers of signals stay its own."""
    with signals.watched():
        yield


@pytest.fixture
def bad_files(tmp_path) -> dict[str, str]:
    (tmp_path / "text.yml").write_text("no compose file")
    (tmp_path / "other.yml").write_text("services: {db: {image: 'postgres:14'}}")
    (tmp_path / "broken.yml").write_text("services: [")
    return {name: str(tmp_path / name) for name in ("none.yml", "text.yml", "other.yml", "broken.yml", ".")}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "the following arguments are required: FROM TO"),
        (["v1.16.0"], "TO is missing: lago-acceptance upgrade-path FROM TO takes the release that runs and the one"),
        (["v1.16.0", "v1.25.0", "v1.26.0"], "3 releases are given"),
        (["v1.16.7", "v1.26.0"], "the nearest are v1.16.0 and v1.17.0"),
        (["v1.16.0", "v1.16.1"], "v1.16.1 is v1.26.1 under another number"),
        (["v1.26.0", "v1.16.0"], "v1.16.0 is older than v1.26.0: Lago's migrations only go forward"),
        (["v1.26.0", "v1.26.0"], "v1.26.0 is what the upgrade starts from: there is nothing to do"),
        (["v1.16.0", "v9.9.9"], "for a later one, update lago-acceptance"),
        (["v1.16.0", "latest"], "'latest' is not a release of Lago"),
        (["v1.16.0-acme", "v1.26.0"], "somebody's own image"),
        (["2024.1", "v1.26.0"], "'2024.1' is not a release of Lago"),
        (["v1.16.0", "v1.26.0", "--settings", "/nowhere/settings.toml"], "/nowhere/settings.toml"),
        (["v1.16.0", "v1.26.0", "--env-file", "/nowhere/env"], "the environment file /nowhere/env can't be read"),
        (["v1.16.0", "v1.26.0", "--compose-file="], "it is empty: give a value, or leave it out"),
        (["v1.16.0", "v1.26.0", "--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(arguments, says, capsys):
    assert suite.main([PATH, *arguments]) == USAGE
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert says in said.err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none.yml", "No such file or directory"),
        ("text.yml", "has no service that runs Lago's API"),
        ("other.yml", "has no service that runs Lago's API: give the deployment's compose file"),
        ("broken.yml", "this is not YAML"),
        (".", "is not a regular file"),
    ],
)
def test_a_compose_file_that_cannot_be_used_is_one_sentence(name, says, bad_files, capsys):
    assert suite.main([PATH, "v1.16.0", "v1.26.0", "--compose-file", bad_files[name]]) == USAGE
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and says in said.err


def printed(capsys, *arguments: str) -> str:
    assert suite.main([PATH, *arguments]) == ACCEPTED
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_each_step_has_a_heading_with_its_changes_below(capsys):
    lines = printed(capsys, "v1.16.0", "v1.26.0").splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings == [
        "Lago v1.16.0 to v1.26.0: 2 deploys, 1 stop with data to fill in",
        "Before",
        "Walked by the suite, with a dump before each step",
        "Step by step: change the files as its diff says, and deploy them",
        "1. v1.16.0 to v1.25.0",
        "2. v1.25.0 to v1.26.0",
        "At the end",
        "Measured on the way",
    ]
    second = lines[lines.index("2. v1.25.0 to v1.26.0") :]
    assert second[1:6] == [
        "    --- docker-compose.lago.yml\tv1.25.0",
        "    +++ docker-compose.lago.yml\tv1.26.0",
        "    @@ -14,3 +14,3 @@",
        "     x-lago: &lago",
        "    -  image: getlago/api:v1.25.0",
    ]


def test_what_an_earlier_stop_may_have_left_is_to_be_counted_first(capsys):
    lines = printed(capsys, "v1.30.0", "v1.32.0").splitlines()
    at = lines.index("1. still on v1.30.0")
    assert lines[at + 1].endswith("unless the counts below are 0 already:")


def test_prose_fits_a_hundred_columns(capsys):
    lines = printed(capsys, "v1.16.0", "v1.51.0").splitlines()
    commands = ("docker", "lago-acceptance", "(umask", "do echo", "-", "+", "command:", "#")
    assert [each for each in lines if len(each) > 100 and not each.strip().startswith(commands)] == []


def test_what_callers_meet_is_told_by_kind_and_what_is_gone_comes_first():
    settings = load(resources.SETTINGS)
    files = read_files(resources.SHIPPED_COMPOSE_FILE, None, settings.deployment.env_file)
    plan = planned(named("v1.26.0"), named("v1.27.0"), settings.deployment, files)
    api = tuple(
        ApiChange("v1.27.0", *each)
        for each in (
            ("answer", "plan", "added", ("x",)),
            ("answer", "customer", "added", ("y",)),
            ("answer", "plan", "added", ("z",)),
            ("answer", "fee", "removed", ("id",)),
            ("route", "/plans/:code", "added", ("PUT", "PATCH")),
            ("variable", "front", "removed", ("LAGO_X",)),
        )
    )
    leg = msgspec.structs.replace(plan.legs[-1], api=api)
    lines = text(msgspec.structs.replace(plan, legs=(leg,)), color=False).splitlines()
    at = lines.index("    - fields of REST answers, removed:")
    assert lines[at + 1 : at + 7] == [
        "        fee: id",
        "    - fields of REST answers, added:",
        "        customer: y",
        "        plan: x, z",
        "    - routes, added: PUT|PATCH /plans/:code",
        "    - variables that are read, removed: LAGO_X (front)",
    ]


def test_names_of_a_hostile_file_do_nothing_to_a_terminal_or_a_shell(tmp_path, capsys):
    hostile = (
        'services: {"a; reboot \\e[31m": {image: "getlago/api:v1.16.0", command: ./scripts/start.api.sh}}'
    )
    (tmp_path / "compose.yml").write_text(hostile)
    shown = printed(capsys, "v1.16.0", "v1.26.0", "--compose-file", str(tmp_path / "compose.yml"))
    assert "\x1b" not in shown and "run --rm --no-deps 'a; reboot \\x1b[31m' bundle" in shown


def test_there_is_no_colour_in_a_pipe_and_some_where_it_is_wanted(capsys, monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert "\x1b" not in printed(capsys, "v1.25.0", "v1.26.0")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in printed(capsys, "v1.25.0", "v1.26.0")


def test_the_json_has_the_documented_form(capsys):
    plan = json.loads(printed(capsys, "v1.16.0", "v1.26.0", "--json"))
    page = (resources.ROOT / "docs" / "upgrading.md").read_text("utf-8")
    assert plan["form"] == 1
    fields = {*plan, *plan["legs"][0], *plan["legs"][0]["filling"][0]}
    assert [field for field in sorted(fields) if f"`{field}`" not in page] == []
    assert [leg["new"] for leg in plan["legs"]] == ["v1.25.0", "v1.26.0"]


def test_neither_docker_nor_compose_is_needed(capsys, monkeypatch):
    monkeypatch.setattr("subprocess.Popen.__init__", lambda *_, **__: pytest.fail("a program was started"))
    monkeypatch.setenv("PATH", "/nowhere")
    assert "v1.25.0" in printed(capsys, "v1.16.0", "v1.26.0")


# Each takes as long to load as the whole answer may take.
HEAVY = ("pytest", "tree_sitter", "cryptography", "httpx", "docker", "jinja2", "lago_acceptance.rules")


def test_it_loads_nothing_that_it_does_not_need():
    program = (
        "import sys; from lago_acceptance.cli.suite import main; code = main(['upgrade-path', 'v1.16.0', 'v1.26.0']); "
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
