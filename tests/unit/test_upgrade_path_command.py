"""``lago-acceptance upgrade-path``: text that can be read and copied, JSON, and one sentence for what it can't use."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.core import resources
from lago_acceptance.core.exit_codes import ACCEPTED, USAGE
from tests.support import signals

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
        "Lago v1.16.0 to v1.26.0: 2 deploys, and data to fill in once",
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


def test_prose_fits_a_hundred_columns(capsys):
    lines = printed(capsys, "v1.16.0", "v1.51.0").splitlines()
    commands = ("docker", "lago-acceptance", "(umask", "do echo", "-", "+", "command:", "#")
    assert [each for each in lines if len(each) > 100 and not each.strip().startswith(commands)] == []


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
