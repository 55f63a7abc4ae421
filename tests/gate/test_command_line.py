"""The gate as people and machines call it: exit codes, places, reports, bad input, changes, and no secret anywhere."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest

from lago_acceptance.composefile.loader import load
from lago_acceptance.core import settings
from lago_acceptance.core.registry import Entry, Severity
from lago_acceptance.core.resources import ROOT
from lago_acceptance.gate.engine import changes_of, found_in
from lago_acceptance.gate.workers import TOO_LONG, TOO_MUCH_WORK
from lago_acceptance.rules import Rule
from tests.support import corpus, edits
from tests.support.gate import CHANGES, found, gate, gate_by_pytest
from tests.support.material import material
from tests.support.paths import DATA

SARIF_SCHEMA = DATA / "schemas" / "sarif-2.1.0-rtm.5.json"
SECRETS = {
    "POSTGRES_PASSWORD": "s3cr3t-of-the-database",
    "SECRET_KEY_BASE": "5ec5ec5ec5ec5ec5ec5ec5ec5ec5ec5e",
}


def test_the_shipped_file_passes_without_docker(tmp_path):
    ended = gate(tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert found(tmp_path) == []


def test_an_error_is_told_with_place_line_consequence_and_mend(tmp_path):
    path = edits.write(
        tmp_path / "a",
        "lago",
        ("RUBYOPT: -r/run/lago/rsa_key => LAGO_RSA_PRIVATE_KEY_PATH: /run/lago/rsa_private.pem",),
    )
    ended = gate(tmp_path, path)
    assert ended.returncode == 1, ended.stdout
    line = next(
        number
        for number, text in enumerate(path.read_text().splitlines(), 1)
        if "LAGO_RSA_PRIVATE_KEY_PATH" in text
    )
    one = next(each for each in found(tmp_path) if each["rule"] == "rsa-volume-never-read")
    flat = {"rule", "severity", "phase", "service", "path", "line", "message", "fix"}
    assert set(one) == {*flat, "services", "places"}
    assert (one["severity"], one["phase"], one["path"]) == ("error", 1, str(path))
    assert abs(one["line"] - line) < 200 and "LAGO_RSA_PRIVATE_KEY_PATH" in one["message"]
    for part in ("Phase 1", f"{path}:", "impact: ", "fix: ", "rsa-volume-never-read"):
        assert part in ended.stdout


def test_a_finding_points_to_the_line_that_is_wrong(tmp_path):
    path = edits.write(
        tmp_path / "a",
        "list",
        ("- LAGO_API_URL=https://billing-api.bizoholic.net => - LAGO_API_URL=http://api:3000",),
    )
    gate(tmp_path, path)
    one = next(each for each in found(tmp_path) if each["rule"] == "api-url-internal")
    assert "LAGO_API_URL=http://api:3000" in path.read_text().splitlines()[one["line"] - 1]


def test_warnings_fail_only_when_strict(tmp_path):
    path = edits.write(tmp_path / "a", "lago", ("@lago-pdf restart: unless-stopped\\n => \\n",))
    assert gate(tmp_path, path).returncode == 0
    assert [each["severity"] for each in found(tmp_path)] == ["warning"]
    assert gate(tmp_path, path, "--strict").returncode == 1


def test_several_files_and_a_folder_are_judged_at_once(tmp_path):
    for number, name in enumerate(corpus.HEALTHY):
        edits.write(tmp_path / "all" / str(number), name)
    ended = gate(
        tmp_path,
        tmp_path / "all",
        ROOT / "compose" / "docker-compose.lago.yml",
    )
    assert ended.returncode == 0 and "gate: 5 files, no finding" in ended.stdout, ended.stdout


def test_an_override_file_is_judged_upon_the_file_that_it_belongs_to(tmp_path):
    base = edits.write(tmp_path / "a", "list")
    override = base.with_name("docker-compose.override.yml")
    override.write_text('services:\n  db:\n    ports: ["5432:5432"]\n', "utf-8")
    gate(tmp_path, base.parent)
    assert [(each["rule"], each["path"], each["line"]) for each in found(tmp_path)] == [
        ("host-port-published", str(override), 3)
    ]


def test_what_has_nothing_of_lago_in_it_is_said(tmp_path):
    path = tmp_path / "compose.yml"
    path.write_text("services: {web: {image: 'nginx:1.27.0'}}\n", "utf-8")
    ended = gate(tmp_path, path)
    assert ended.returncode == 0 and "no Lago service was found" in ended.stdout, ended.stdout


def test_sarif_and_annotations(tmp_path):
    path = edits.write(
        tmp_path / "a", "lago", ("@lago-worker lago-storage:/app/storage => lago-storage:/app/storage2",)
    )
    ended = gate(tmp_path, path, GITHUB_ACTIONS="true")
    sarif = json.loads((tmp_path / "reports" / "gate.sarif").read_text("utf-8"))
    run = sarif["runs"][0]
    jsonschema.validate(sarif, json.loads(SARIF_SCHEMA.read_text("utf-8")))
    assert run["results"], run
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert (
            result["level"] in ("error", "warning")
            and result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1
        )
    assert re.search(
        rf"^::error file={re.escape(str(path))},line=\d+,title=no-storage-volume::",
        ended.stdout,
        re.MULTILINE,
    ), ended.stdout


def test_no_output_holds_a_secret(tmp_path):
    made = material()
    path = edits.write(
        tmp_path / "a",
        "lago",
        (
            "RUBYOPT: -r/run/lago/rsa_key => LAGO_RSA_PRIVATE_KEY: @B64_CUT@",
            f"${{POSTGRES_PASSWORD:?see .env.lago.example}} => {SECRETS['POSTGRES_PASSWORD']}",
            f"${{SECRET_KEY_BASE:?see .env.lago.example}} => ${{SECRET_KEY_BASE:-{SECRETS['SECRET_KEY_BASE']}}}",
        ),
    )
    reports = tmp_path / "reports"
    ended = gate_by_pytest(
        tmp_path,
        "--compose-file",
        path,
        "--alluredir",
        reports / "allure",
        "--junitxml",
        reports / "junit.xml",
        GITHUB_ACTIONS="true",
    )
    files = [each for each in reports.rglob("*") if each.is_file()]
    assert {"gate.json", "gate.sarif", "junit.xml"} < {each.name for each in files} and len(files) > 10
    written = ended.stdout + ended.stderr + "".join(each.read_text() for each in files)
    assert ended.returncode == 1
    for secret in (*SECRETS.values(), made["B64_CUT"][:80], made["B64_CUT"][200:280]):
        assert secret not in written


def test_a_rule_explains_itself(tmp_path):
    ended = gate(tmp_path, "--explain", "rsa-not-base64")
    assert ended.returncode == 0 and "base64" in ended.stdout
    ended = gate(tmp_path, "--explain", "rsa-no-base64")
    assert ended.returncode == 4 and "rsa-not-base64" in ended.stderr and "Traceback" not in ended.stderr


def _cyclic() -> bytes:
    return b"services: &a\n  api: *a\n"


def _laughs() -> bytes:
    levels = [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 10)]
    return ("x0: &x0 [lol, lol]\n" + "\n".join(levels) + "\nservices: {api: {image: a}}\n").encode()


BAD = {
    "not YAML": (b"services: [\n  api: }\n", "not YAML"),
    "no compose file": (b"- a\n- b\n", "not a compose file"),
    "a text": (b"hello\n", "not a compose file"),
    "empty": (b"", "empty"),
    "10 MB": (b"# filler\n" * 1_200_000, "MB"),
    "cyclic anchors": (_cyclic(), "contains itself"),
    "billion laughs": (_laughs(), "anchors multiply"),
    "deep flow": (b"services: " + b"[" * 100_000 + b"]" * 100_000, "levels deep"),
    "deep block": (b"services:\n  " + b"- " * 100_000 + b"a\n", "levels deep"),
    "deep maps": (b"a: " + b"{a: " * 100_000, "levels deep"),
    "binary": (b"\x7fELF\x00\x01\x02" * 50, "binary"),
    "not UTF-8": (b"services:\n  api:\n    image: \xff\xfe\n", "UTF-8"),
    "absent include": (
        b"include: [other.yml]\nservices: {api: {image: 'getlago/api:v1.16.0'}}\n",
        "Compose refuses",
    ),
    "thousands of services": (
        b"services:\n" + b"".join(b"  s%d: {image: a}\n" % n for n in range(9000)),
        "9000 services",
    ),
    "a list as key": (b"services:\n  [a, b]: c\n", "key"),
    "services as text": (b"services: all\n", "not a compose file"),
    "a service as text": (b"services: {api: text}\n", "Compose refuses"),
    "environment as text": (
        b"services: {api: {image: 'getlago/api:v1.16.0', environment: text}}\n",
        "Compose refuses",
    ),
}

SLOW = {
    "a command that doubles": "image: getlago/api:v1.16.0\n    command: [sh, -c, '"
    + "a=$$a$$a;" * 200
    + "']\n    environment: {a: xx}",
    "a command without an end": "image: getlago/api:v1.16.0\n    command: " + "a" * 400_000,
    "substitutions in substitutions": "image: getlago/api:v1.16.0\n    command: [sh, -c, 'export A="
    + '"$$(echo ' * 2000
    + "']",
}


@pytest.mark.parametrize("name", SLOW)
def test_a_command_of_any_kind_is_judged_within_seconds(name, tmp_path):
    path = tmp_path / "compose.yml"
    path.write_text(f"services:\n  api:\n    {SLOW[name]}\n", "utf-8")
    ended = gate(tmp_path, path)
    assert TOO_LONG not in ended.stdout and TOO_MUCH_WORK not in ended.stdout
    assert ended.returncode == 1 and "Traceback" not in ended.stdout + ended.stderr
    assert {"no-worker-service", "missing-healthcheck"} <= {each["rule"] for each in found(tmp_path)}
    assert "could not be judged" not in ended.stdout


def test_what_is_no_file_is_a_finding_at_once(tmp_path):
    pipe = tmp_path / "pipe.yml"
    os.mkfifo(pipe)
    # Root may read everything but this.
    for path, word in ((pipe, "a pipe"), (Path("/proc/self/mem"), "can't be read")):
        ended = gate(tmp_path, path)
        assert ended.returncode == 1 and word in found(tmp_path)[0]["message"], ended.stdout + ended.stderr


def test_a_rule_that_breaks_on_a_file_is_told(tmp_path, monkeypatch):
    source = load(edits.write(tmp_path, "lago"), None)
    entry = Entry(id="some-rule", phase=0, severity=Severity.WARNING, title="A rule.")
    broken = Rule(entry, lambda model, settings: int("x"))
    for module in ("lago_acceptance.rules", "lago_acceptance.gate.engine"):
        monkeypatch.setattr(f"{module}.rules", lambda: {"some-rule": broken})
    told = found_in(source, settings.load(ROOT / "settings.toml"))["some-rule"]
    assert [(each.id, each.severity) for each in told] == [
        ("some-rule", Severity.ERROR)
    ] and "ValueError" in told[0].problem
    broken = Rule(entry, lambda old, new, settings: int("x"))
    [told] = changes_of(broken, source, source, settings.load(ROOT / "settings.toml"))
    assert told.severity is Severity.ERROR and "could not be judged" in told.problem


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_finding_within_seconds(name, tmp_path):
    content, word = BAD[name]
    path = tmp_path / "compose.yml"
    path.write_bytes(content)
    ended = gate(tmp_path, path)
    assert TOO_LONG not in ended.stdout and TOO_MUCH_WORK not in ended.stdout
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    told = [each for each in found(tmp_path) if each["rule"] == "compose-invalid"]
    assert told and word in told[0]["message"], (told, ended.stdout)


@pytest.mark.parametrize("name", [".env", "own.env"])
def test_an_environment_file_of_megabytes_is_a_finding_at_once(name, tmp_path):
    changed = (
        ("@pdf restart: always => restart: always\\n    env_file: own.env",) if name == "own.env" else ()
    )
    path = edits.write(tmp_path, "list", changed)
    (tmp_path / name).write_text("NUMBER=1\n" * 1_400_000, "utf-8")
    ended = gate(tmp_path, path)
    assert TOO_LONG not in ended.stdout and TOO_MUCH_WORK not in ended.stdout
    told = [(each["rule"], each["message"]) for each in found(tmp_path)]
    assert [rule for rule, _ in told] == ["compose-invalid"], ended.stdout
    assert f"environment file {name} has 12.6 MB" in told[0][1]


def test_an_environment_file_of_megabytes_that_is_asked_for_is_one_sentence(tmp_path):
    (tmp_path / "large.env").write_text("NUMBER=1\n" * 1_400_000, "utf-8")
    ended = gate(tmp_path, "--env-file", tmp_path / "large.env")
    assert ended.returncode == 4 and "large.env has 12.6 MB" in ended.stderr, ended.stdout + ended.stderr


def test_a_long_environment_file_is_read_to_its_end(tmp_path):
    path = edits.write(tmp_path, "list", ("${SECRET_KEY_BASE:?} => ${SECRET_KEY_BASE}",))
    filler = "".join(f"FILLER_{number}={'x' * 90}\n" for number in range(2000))
    required = dict.fromkeys(re.findall(r"\$\{(\w+):\?", path.read_text("utf-8")), "x")
    for last, unset in (({}, True), ({"SECRET_KEY_BASE": "x"}, False)):
        given = "".join(f"{name}={value}\n" for name, value in {**required, **last}.items())
        (tmp_path / ".env").write_text(filler + given, "utf-8")
        gate(tmp_path, path)
        assert ("secret-env-unguarded" in {each["rule"] for each in found(tmp_path)}) == unset


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nowhere.yml",), "nowhere.yml"),
        (("reports-that-is-no-folder",), "does not exist"),
        (("--env-file", "nowhere.env"), "nowhere.env"),
        (("--base", "no-such-branch"), "no-such-branch"),
        (("--settings", "nowhere.toml"), "nowhere.toml"),
        (("--settings", "/dev/zero"), "not a regular file"),
        (("--base", "README.md"), "can't be used"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_4(arguments, word, tmp_path):
    ended = gate(tmp_path, *arguments)
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert word in ended.stdout + ended.stderr and "Traceback" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_breaks_what_runs_is_reported(name, tmp_path):
    base, before, after = CHANGES[name]
    old, new = (
        edits.write(tmp_path / "old", base, before),
        edits.write(tmp_path / "new", base, after),
    )
    ended = gate(tmp_path, new, "--base", old)
    assert ended.returncode == 1, ended.stdout
    assert name in {each["rule"] for each in found(tmp_path)}
    same = gate(tmp_path, old, "--base", old)
    assert same.returncode == 0 and found(tmp_path) == [], same.stdout
