"""Names, values and file names of a compose file can't act on the terminal, the CI server or the readers of reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.support.gate import found, gate_by_pytest
from tests.support.paths import DATA
from tests.support.patience import PATIENCE

HOSTILE = "\\e[31m\\e]0;x\\a\\r\\n::error file=x::forged\\n##[error]forged\\u202e\\u200b\\x9b\\x85<>&"
JUDGED = """
services:
  api:
    image: "getlago/api:v1.16.0"
    environment: {"LAGO_API_URL": "http://HOSTILE", "RAILS_ENV": "HOSTILE", "LAGO_HOSTILE": "x"}
    labels:
      "traefik.http.routers.HOSTILE.rule": "Host(`HOSTILE`)"
      "traefik.http.routers.HOSTILE.entrypoints": "HOSTILE"
      "traefik.enable": "true"
    command: ["HOSTILE"]
  db: {image: "postgres:15", environment: {"PGDATA": "/HOSTILE"}}
"""
REFUSED = """
services:
  api: {image: "getlago/api:HOSTILE", restart: "HOSTILE", networks: ["HOSTILE"], depends_on: ["HOSTILE"]}
"""
NAMES = {
    "a plain name": b"compose.yml",
    "escapes": b"a\x1b[31m\r\n::error::b.yml",
    "no UTF-8": b"a\xff\xfe.yml",
    "signs": b"a,b:c%d #e?f&<g>.yml",
}


def unsafe(text: str) -> set[str]:
    """Characters that a terminal acts on or nobody sees, and lines that a CI server takes for a command."""
    characters = {
        each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs") and each not in "\n\t"
    }
    lines = {line for line in text.splitlines() if line.lstrip().startswith(("::", "##["))}
    return characters | {line for line in lines if not line.startswith(("::error file=", "::warning file="))}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("how", "text"), [("pytest", JUDGED), ("lago-gate", JUDGED), ("lago-gate", REFUSED)])
def test_nothing_in_a_file_acts_on_who_reads_about_it(tmp_path, name, how, text):
    path = os.fsencode(tmp_path) + b"/" + NAMES[name]
    with open(path, "w") as file:
        file.write(text.replace("HOSTILE", HOSTILE))
    junit = tmp_path / "junit.xml"
    options = (
        "--compose-file",
        os.fsdecode(path),
        "--junitxml",
        str(junit),
        "--alluredir",
        str(tmp_path / "allure"),
    )
    if how == "pytest":
        ended = gate_by_pytest(tmp_path, *options, GITHUB_ACTIONS="true")
        ElementTree.parse(junit)
    else:
        program = Path(sys.executable).with_name("lago-gate")
        command = [program, path, "--reports", tmp_path / "reports"]
        variables = {**os.environ, "GITHUB_ACTIONS": "true"}
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=variables
        )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert unsafe(ended.stdout) == set() and unsafe(ended.stderr) == set()
    for line in ended.stdout.splitlines():
        if line.startswith("::"):
            properties = line[2:].partition("::")[0]
            assert {part.partition("=")[0].rpartition(" ")[2] for part in properties.split(",")} <= {
                "file",
                "line",
                "title",
            }
    told = found(tmp_path)
    assert told and unsafe("\n".join(str(value) for each in told for value in each.values())) == set()
    sarif = json.loads((tmp_path / "reports" / "gate.sarif").read_text("utf-8"))
    jsonschema.validate(sarif, json.loads((DATA / "schemas" / "sarif-2.1.0-rtm.5.json").read_text()))
    for result in sarif["runs"][0]["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii() and not set(uri) & set(' ?#<>"\\') and unquote(uri) == told[0]["path"]
