"""junit.xml and Allure's results of whole runs: of the gate, and of a run that reaches nothing."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

UNREACHABLE = ("-m", "smoke", "--target", "live", "--hosts", "ssh://root@no-such-host.invalid")


@pytest.mark.parametrize(
    "how", [("-m", "gate"), ("suites/phase1_rsa_key/test_rules.py",)], ids=["-m", "file"]
)
def test_the_gates_phases_are_suites(suite, tmp_path, how):
    junit = tmp_path / "junit.xml"
    ended = suite(*how, "--junitxml", str(junit))
    assert ended.code == 0, ended.output
    suites = {each.attrib["name"]: each for each in ElementTree.parse(junit).getroot()}
    rules = suites["the compose file phase 1 RSA key"]
    assert int(rules.attrib["tests"]) == len(rules.findall("testcase")) > 5
    assert f"generated xml file: {junit}" in ended.output
    assert not list((tmp_path / "reports").rglob("junit.xml"))


@pytest.mark.parametrize(
    "how", [("-m", "gate"), ("suites/phase1_rsa_key/test_rules.py",)], ids=["-m", "file"]
)
def test_the_gate_writes_none_unless_it_is_asked_for(suite, tmp_path, how):
    ended = suite(*how)
    assert ended.code == 0, ended.output
    assert not list(tmp_path.rglob("junit.xml")) and "generated xml file" not in ended.output


@pytest.mark.parametrize("more", [(), ("-p", "no:junitxml")], ids=["as it is", "without"])
def test_a_host_that_is_not_reached_is_an_error_for_the_ci_server(suite, more):
    ended = suite(*UNREACHABLE, *more)
    assert ended.code == 6, ended.output
    file = ended.reports / "junit.xml"
    assert file.exists() == (not more)
    if not more:
        (run,) = ElementTree.parse(file).getroot()
        assert run.attrib["name"] == "root@no-such-host.invalid the run itself"
        error = run.find("testcase/error")
        assert error is not None and "no-such-host.invalid" in error.attrib["message"]
    (whole,) = (ended.reports / "allure").glob("*-globals.json")
    assert "could not be reached" in json.loads(whole.read_text())["errors"][0]["message"]
    assert "Host=root@no-such-host.invalid" in (
        ended.reports / "allure" / "environment.properties"
    ).read_text().replace("\\", "")


def test_a_run_that_was_called_wrongly_leaves_none(suite, tmp_path):
    ended = suite("-m", "smoke", "--base", "nosuch")
    assert ended.code == 4, ended.output
    assert not list(tmp_path.rglob("junit.xml"))
