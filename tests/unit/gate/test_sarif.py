"""gate.sarif says which version of the suite it is of, and where each rule is explained."""

from __future__ import annotations

import json
import re

import jsonschema
import pytest

from lago_acceptance import __version__
from lago_acceptance.core.findings import Finding, Place, told_once
from lago_acceptance.gate.formatters import sarif
from lago_acceptance.rules import of_phase
from tests.support.paths import DATA

FINDING = Finding(id="rsa-env-missing", problem="a", impact="b", fix="c", place=Place("compose.yml", 3))


@pytest.fixture
def documented(monkeypatch):
    """Call it with the address of the documentation: the document of a finding."""

    def made(address: str = "") -> dict:
        monkeypatch.setattr(sarif, "DOCUMENTATION", address)
        document = sarif.document(told_once([FINDING]), [sarif.Entry(**_of("rsa-env-missing"))])
        jsonschema.validate(
            document,
            json.loads((DATA / "schemas" / "sarif-2.1.0-rtm.5.json").read_text()),
            format_checker=jsonschema.FormatChecker(),
        )
        return document["runs"][0]["tool"]["driver"]

    return made


def _of(id: str) -> dict:
    entry = next(rule for rule in of_phase(1) if rule.id == id)
    from lago_acceptance.core import registry

    known = registry.find(entry.id)
    return {name: getattr(known, name) for name in known.__struct_fields__}


def test_the_tools_version(documented):
    driver = documented()
    assert driver["version"] == driver["semanticVersion"] == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+([-+].+)?", driver["semanticVersion"])


def test_each_rule_links_to_its_page_where_the_documentation_is_on_the_web(documented):
    driver = documented("https://docs.example/lago/")
    assert driver["rules"][0]["helpUri"] == "https://docs.example/lago/checks#rsa-env-missing"
    assert all("helpUri" in rule for rule in driver["rules"])


def test_without_an_address_the_help_says_what_to_type(documented):
    rule = documented()["rules"][0]
    assert "helpUri" not in rule
    assert "lago-gate --explain rsa-env-missing" in rule["help"]["text"]
    assert "docs/checks.md#rsa-env-missing" in rule["help"]["markdown"]
