"""Files that are meant to be laid over each other are judged together, however they are given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support import edits
from tests.support.gate import found, gate, gate_by_pytest

OPEN = 'services:\n  db:\n    ports:\n      - "5432:5432"\n'


@pytest.fixture
def base(tmp_path) -> Path:
    return edits.write(tmp_path / "a", "list")


def laid(base: Path, text: str, name: str = "prod.yml") -> Path:
    path = base.with_name(name)
    path.write_text(text, "utf-8")
    return path


def places(tmp_path: Path) -> list[tuple[str, str, int]]:
    return [(each["rule"], Path(each["path"]).name, each["line"]) for each in found(tmp_path)]


@pytest.mark.parametrize("spelling", ["--overlay", "-f", "COMPOSE_FILE", "COMPOSE_FILE, a folder", "pytest"])
def test_an_overlay_is_judged_upon_its_base(spelling, base, tmp_path):
    overlay = laid(base, OPEN)
    given: dict[str, tuple[str | Path, ...]] = {
        "--overlay": (base, "--overlay", overlay),
        "-f": ("-f", base, "-f", overlay),
        "COMPOSE_FILE": (base,),
        "COMPOSE_FILE, a folder": (base.parent,),
        "pytest": ("--compose-file", base, "--overlay", overlay),
    }
    if "COMPOSE_FILE" in spelling:
        base.with_name(".env").write_text("COMPOSE_FILE=docker-compose.yml:prod.yml\n", "utf-8")
        # With a .env, what the file requires has to be in it.
        base.write_text(base.read_text("utf-8").replace(":?", ":-given-elsewhere-"), "utf-8")
    (gate_by_pytest if spelling == "pytest" else gate)(tmp_path, *given[spelling])
    assert ("host-port-published", "prod.yml", 4) in places(tmp_path)
    assert {path for _, path, _ in places(tmp_path)} <= {"prod.yml", "docker-compose.yml"}


def test_what_an_overlay_mends_is_no_finding(tmp_path):
    base = edits.write(
        tmp_path / "a", "list", ("@db restart: always => restart: always\\n    privileged: true",)
    )
    overlay = laid(base, "services:\n  db:\n    privileged: false\n")
    gate(tmp_path, base)
    assert [rule for rule, _, _ in places(tmp_path)] == ["privileged-container"]
    gate(tmp_path, base, "--overlay", overlay)
    assert places(tmp_path) == []


def test_of_several_overlays_the_last_one_decides(base, tmp_path):
    first = laid(base, "services:\n  db:\n    privileged: true\n", "first.yml")
    last = laid(base, "services:\n  db:\n    init: true\n    privileged: true\n", "last.yml")
    gate(tmp_path, base, "--overlay", first, "--overlay", last)
    assert places(tmp_path) == [("privileged-container", "last.yml", 4)]


def test_an_overlay_for_a_service_that_is_not_there_is_one_sentence(base, tmp_path):
    overlay = laid(base, "services:\n  wurker:\n    mem_limit: 1g\n")
    gate(tmp_path, base, "--overlay", overlay)
    told = [each["message"] for each in found(tmp_path) if each["rule"] == "compose-invalid"]
    assert len(told) == 1 and "prod.yml changes the service wurker" in told[0], told


@pytest.mark.parametrize("text", ["services: all\n", "- a\n", "", "services: [\n"])
def test_an_overlay_that_is_none_is_a_finding(text, base, tmp_path):
    ended = gate(tmp_path, base, "--overlay", laid(base, text))
    [told] = found(tmp_path)
    assert told["rule"] == "compose-invalid" and "prod.yml, which is laid over it" in told["message"], (
        ended.stdout
    )


def test_an_overlay_leads_nowhere_outside(base, tmp_path):
    overlay = laid(
        base,
        "include: ['https://example.com/compose.yml']\n"
        "services:\n  db:\n    env_file: /etc/shadow\n    label_file: /etc/passwd\n",
    )
    ended = gate(tmp_path, base, "--overlay", overlay)
    assert {"remote-include", "file-outside-project"} <= {rule for rule, _, _ in places(tmp_path)}, (
        ended.stdout
    )
    assert "root:" not in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--overlay", "nowhere.yml"), "nowhere.yml does not exist"),
        (("compose", "docker-compose.yml", "--overlay", "README.md"), "laid over one compose file"),
    ],
)
def test_an_overlay_that_can_not_be_used_is_one_sentence(arguments, word, base, tmp_path):
    named = [base if each == "docker-compose.yml" else each for each in arguments]
    ended = gate(tmp_path, *named)
    assert ended.returncode == 4 and word in ended.stderr, ended.stderr


def test_a_base_of_git_has_its_own_overlay(base, tmp_path):
    overlay = laid(base, OPEN.replace("5432:5432", "127.0.0.1:5432:5432"))
    for words in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-qm", "one")):
        subprocess.run(
            ("git", "-c", "user.name=a", "-c", "user.email=a@example.com", *words),
            cwd=base.parent,
            check=True,
        )
    overlay.write_text("services:\n  db:\n    environment: [POSTGRES_DB=other]\n", "utf-8")
    gate(tmp_path, base, "--overlay", overlay, "--base", "main")
    assert "db-password-changed" in {rule for rule, _, _ in places(tmp_path)}
    base.with_name("again.yml").write_text("services: {}\n", "utf-8")
    overlay.write_text("services:\n  db:\n    init: true\n", "utf-8")
    gate(tmp_path, base, "--overlay", overlay, "--base", "main")
    assert "db-password-changed" not in {rule for rule, _, _ in places(tmp_path)}
