"""Names that a host gives can't act on the terminal, or on the readers of reports, of a run that looks at it."""

from __future__ import annotations

import json
import re
import shlex
from xml.etree import ElementTree

from tests.support import forked_runs
from tests.unit.reports.test_hostile_text import HOSTILE, assert_harmless, texts

CHECKS = """
import pytest
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.verdicts import Unknown

HOSTILE = {hostile!a}

@pytest.mark.parametrize("plan", [HOSTILE], ids=["plan"])
def test_red(plan, judge):
    judge([Finding(id="service-down", problem=plan, impact=plan, fix=plan, service=plan, role="api")])

def test_unknown():
    raise Unknown(HOSTILE, why=HOSTILE, fix=HOSTILE)

def test_crashes():
    raise KeyError(HOSTILE)
"""


def test_nothing_that_a_host_says_acts_on_who_reads_about_it(tmp_path):
    (tmp_path / "test_one.py").write_text(CHECKS.format(hostile=HOSTILE))
    line = f"-c pytest.ini --reports={tmp_path}/reports --target=live --hosts=ssh://root@127.0.0.1:9 {tmp_path}/test_one.py"
    with forked_runs.started() as run:
        ended = run("pytest", *shlex.split(line), environment={"GITHUB_ACTIONS": "true"})
    assert ended.code == 1, ended.output
    # The suite's own groups are meant for the CI server.
    own = re.compile(r"^::(group::(Not judged|Checks by phase|Warnings)|endgroup::)\n", re.MULTILINE)
    assert_harmless(own.sub("", ended.output))
    assert "hunter2hunter" not in ended.output
    latest = tmp_path / "reports" / "latest"
    junit = ElementTree.parse(latest / "junit.xml")
    assert len(list(junit.iter("testcase"))) == 3
    assert_harmless((latest / "junit.xml").read_text("utf-8"))
    assert "hunter2hunter" not in (latest / "junit.xml").read_text("utf-8")
    results = list((latest / "allure").glob("*.json"))
    assert len(results) >= 3
    for path in (latest / "summary.json", *results):
        for text in texts(json.loads(path.read_text("utf-8"))):
            assert_harmless(text)
            assert "hunter2hunter" not in text
