"""One defect is told once: all its services and lines, errors first, and nothing that only follows from it."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tests.support import edits
from tests.support.gate import found, gate
from tests.support.paths import DATA

SEVERAL = (
    "@api restart: always => x-a: 1",
    "@worker restart: always => x-a: 1",
    "@db restart: always => privileged: true",
)


@pytest.fixture
def told(tmp_path):
    path = edits.write(tmp_path / "a", "list", SEVERAL)
    return path, gate(tmp_path, path, GITHUB_ACTIONS="true").stdout


def test_services_and_lines_of_one_defect_are_in_one_line(told, tmp_path):
    path, text = told
    [one] = [each for each in found(tmp_path) if each["rule"] == "restart-policy-missing"]
    assert one["services"] == ["db", "api", "worker"] and len({each["line"] for each in one["places"]}) == 3
    lines = ", ".join(str(each["line"]) for each in one["places"])
    assert f"  restart-policy-missing  {path}:{lines} (db, api, worker)\n" in text
    assert (one["service"], one["line"]) == ("db", one["places"][0]["line"])


def test_machines_are_told_once_too(told, tmp_path):
    _, text = told
    sarif = json.loads((tmp_path / "reports" / "gate.sarif").read_text("utf-8"))
    jsonschema.validate(sarif, json.loads((DATA / "schemas" / "sarif-2.1.0-rtm.5.json").read_text("utf-8")))
    [one] = [each for each in sarif["runs"][0]["results"] if each["ruleId"] == "restart-policy-missing"]
    assert len(one["locations"]) == 1 and len(one["relatedLocations"]) == 2
    annotations = [line for line in text.splitlines() if "title=restart-policy-missing::" in line]
    assert len(annotations) == 1 and "(db, api, worker)" in annotations[0]


def test_errors_come_first_and_phases_are_counted(told):
    _, text = told
    assert text.index("\nErrors\n") < text.index("privileged-container") < text.index("\nWarnings\n")
    assert text.index("\nWarnings\n") < text.index("restart-policy-missing") < text.index("\nNotes\n")
    assert "Phase 2, Services: 1 error, 1 warning\ngate: 1 file, 1 error, 1 warning\n" in text


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals(environment, colored, tmp_path):
    path = edits.write(tmp_path / "a", "list", SEVERAL)
    assert ("\x1b[31;1merror\x1b[0m" in gate(tmp_path, path, **environment).stdout) is colored


def test_the_rules_are_named_where_that_is_asked_for(tmp_path):
    path = edits.write(tmp_path / "a", "list", SEVERAL)
    text = gate(tmp_path, path, "-v").stdout
    assert "\n  restart-policy-missing: 3 places\n" in text and "\n  rsa-env-missing: 0 places\n" in text
    assert "Rules applied" not in gate(tmp_path, path).stdout


ORDINARY = """\
services:
  db:
    image: postgres:15.6
    environment: {{POSTGRES_USER: lago, POSTGRES_PASSWORD: {word}, POSTGRES_DB: lago}}
    networks: [{word}-network]
  api:
    image: getlago/api:v1.16.0
    environment:
      DATABASE_URL: postgres://lago:{word}@db:5432/lago
      SECRET_KEY_BASE: {word}
    networks: [{word}-network]
networks:
  default: {{}}
"""


@pytest.mark.parametrize("word", ["password", "postgres", "changeme", "database"])
def test_an_ordinary_word_is_a_secret_only_where_it_is_one(word, tmp_path):
    path = tmp_path / "compose.yml"
    path.write_text(ORDINARY.format(word=word), "utf-8")
    text = gate(tmp_path, path).stdout
    assert "the database's password is a default or a placeholder" in text
    assert f"refers to undefined network {word}-network" in text
    assert (
        f"POSTGRES_PASSWORD: {word}" not in text
        and f"lago:{word}@" not in text
        and f"BASE: {word}" not in text
    )
    assert "POSTGRES_PASSWORD: <secret>" in text


def test_a_remedy_for_another_deployment_has_none_of_our_names(tmp_path):
    path = tmp_path / "compose.yml"
    path.write_text(ORDINARY.format(word="backend"), "utf-8")
    gate(tmp_path, path)
    text = json.dumps(found(tmp_path))
    assert "billing-api.example.com" in text
    assert not [
        name for name in ("bizoholic", "dokploy", "brain-network", "docker-compose.lago") if name in text
    ]
