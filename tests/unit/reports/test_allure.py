"""Each check has a result that Allure shows: how it ended, why, and which phase it is of."""

from __future__ import annotations

import json

from lago_acceptance.core.findings import Finding
from lago_acceptance.reports.allure import write
from lago_acceptance.reports.summary import Check

FINDING = Finding(
    id="queue-stuck", role="worker", problem="nobody reads it", impact="no bill", fix="start one"
)
CHECKS = [
    Check("suites/phase2_services/test_work.py::test_it[a]", 2, "passed", 100.25, 0.5),
    Check("suites/phase2_services/test_work.py::test_it[b]", 2, "failed", 100.25, 0.5, "", (FINDING,)),
    Check("suites/phase2_services/test_work.py::test_other", 2, "blocked", 101.0, 0.0, "blocked by x"),
    Check("suites/phase3_edge/test_names.py::test_name", 3, "crashed", 101.0, 0.0, "KeyError: 'x'\nline"),
]


def test_every_check_has_a_result_with_its_end_and_its_reason(tmp_path):
    write(tmp_path / "allure", CHECKS)
    written = [json.loads(path.read_text()) for path in (tmp_path / "allure").glob("*-result.json")]
    found = {each["name"]: each for each in written}
    assert {name: each["status"] for name, each in found.items()} == {
        "test_it[a]": "passed",
        "test_it[b]": "failed",
        "test_other": "skipped",
        "test_name": "broken",
    }
    assert (found["test_it[a]"]["start"], found["test_it[a]"]["stop"]) == (100250, 100750)
    assert found["test_it[a]"]["testCaseId"] == found["test_it[b]"]["testCaseId"]
    assert len({each["historyId"] for each in written}) == len(written)
    assert "queue-stuck" in found["test_it[b]"]["statusDetails"]["message"]
    assert "fix: start one" in found["test_it[b]"]["statusDetails"]["trace"]
    assert found["test_name"]["statusDetails"]["message"] == "KeyError: 'x'"
    assert "statusDetails" not in found["test_it[a]"]
    labels = {label["name"]: label["value"] for label in found["test_other"]["labels"]}
    assert (labels["parentSuite"], labels["suite"], labels["tag"]) == (
        "suites.phase2_services",
        "test_work",
        "phase2",
    )
