"""Each check has a result that Allure shows: how it ended, why, what it is about, and what the run has kept of it."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from lago_acceptance.core import consequences
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.reports import allure
from lago_acceptance.reports.summary import Check, Deployment, Step, Summary

FINDING = Finding(
    id="queue-stuck",
    role="worker",
    service="lago-worker",
    problem="nobody reads <b>it</b>",
    impact="no bill",
    fix="start one",
)
WARNING = Finding(id="disk-low", severity=Severity.WARNING, problem="little", impact="full", fix="clean up")
BRING_UP = Step("setup", 40.0, 60.0, (Step("up", 40.0, 55.0), Step("observe", 95.0, 5.0)))
WORK = "suites/phase2_services/test_work.py"
CHECKS = (
    Check(
        f"{WORK}::test_it[a]",
        2,
        "passed",
        100.25,
        0.5,
        about="The worker works",
        steps=(BRING_UP, Step("call", 100.25, 0.5)),
    ),
    Check(
        f"{WORK}::test_it[b]", 2, "failed", 100.25, 0.5, "", (FINDING,), steps=(Step("call", 100.25, 0.5),)
    ),
    Check(f"{WORK}::test_other", 2, "blocked", 101.0, 0.0, "not judged: x", blocked_by="queue-stuck"),
    Check(f"{WORK}::test_warned", 2, "passed", 101.0, 0.0, findings=(WARNING,)),
    Check(
        "suites/phase3_edge/test_dns.py::test_name",
        3,
        "unknown",
        101.0,
        0.0,
        "the key",
        why="no key",
        fix="set it",
    ),
    Check("suites/phase3_edge/test_dns.py::test_crash", 3, "crashed", 101.0, 0.0, "Traceback\nKeyError: 'x'"),
    Check("suites/phase3_edge/test_dns.py::test_known", 3, "waived", 101.0, 0.0, "waived: x"),
)


def summary(checks: tuple[Check, ...] = CHECKS, **changed: Any) -> Summary:
    return Summary(
        **{
            "run": "20261127-120000-abcdef",
            "version": "1.0.0",
            "target": "live",
            "host": "root@billing",
            "deployment": Deployment(lago="v1.16.0", directory="C:\\lago = here"),
            "verdict": "not accepted",
            "exit_code": 1,
            "seconds": 1.0,
            "timings": {},
            "stand_ins": (),
            "images": {},
            "notes": (),
            "checks": checks,
            **changed,
        }
    )


def read(folder: Path, pattern: str = "*-result.json") -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob(pattern))]


def results(folder: Path, written: Summary) -> dict[str, dict[str, Any]]:
    assert allure.write(folder, written) == []
    return {each["name"]: each for each in read(folder)}


def labels(result: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in result["labels"] if each["name"] != "tag"}


@pytest.fixture
def written(tmp_path):
    """The results of CHECKS by name."""
    return results(tmp_path / "allure", summary())


def test_every_check_has_a_result_with_its_end_and_its_reason(written):
    assert {name: each["status"] for name, each in written.items()} == {
        "It [a]": "passed",
        "It [b]": "failed",
        "Other": "broken",
        "Warned": "passed",
        "Name": "unknown",
        "Crash": "broken",
        "Known": "skipped",
    }
    assert (written["It [a]"]["start"], written["It [a]"]["stop"]) == (100250, 100750)
    assert "queue-stuck" in written["It [b]"]["statusDetails"]["message"]
    assert "fix: start one" in written["It [b]"]["statusDetails"]["trace"]
    assert written["Crash"]["statusDetails"]["message"] == "KeyError: 'x'"
    assert written["Name"]["statusDetails"] == {"message": "no key", "trace": "the key\nfix: set it"}
    assert "statusDetails" not in written["It [a]"]


def test_phases_are_epics_and_files_are_features_and_the_plans_sentences_are_stories(written):
    found = labels(written["It [a]"])
    assert (found["epic"], found["feature"], found["story"]) == (
        "Phase 2: Services",
        "Work",
        "The worker works",
    )
    assert (found["parentSuite"], found["suite"]) == ("suites.phase2_services", "test_work")
    assert labels(written["Name"])["feature"] == "DNS"
    tags = [each["value"] for each in written["It [b]"]["labels"] if each["name"] == "tag"]
    assert tags == ["phase2", "failed", "queue-stuck"]


def test_severity_is_that_of_the_worst_finding(tmp_path, monkeypatch):
    def found(name: str) -> str:
        return labels(results(tmp_path / name, summary())["It [b]"])["severity"]

    monkeypatch.setattr(consequences, "STOPS_BILLING", frozenset())
    assert found("a") == "critical"
    monkeypatch.setattr(consequences, "STOPS_BILLING", frozenset({"queue-stuck"}))
    assert found("b") == "blocker"
    written = results(tmp_path / "c", summary())
    assert labels(written["Warned"])["severity"] == "minor"
    assert labels(written["It [a]"])["severity"] == "normal"


def test_a_description_says_impact_and_fix_and_holds_no_markup_of_others(written):
    text = written["It [b]"]["descriptionHtml"]
    assert "<strong>Impact:</strong> no bill" in text and "<strong>Fix:</strong> start one" in text
    assert "&lt;b&gt;it&lt;/b&gt;" in text and "<b>" not in text
    assert "queue-stuck: make that check pass first" in written["Other"]["descriptionHtml"]
    assert "<strong>Fix:</strong> set it" in written["Name"]["descriptionHtml"]


def test_a_rule_is_called_by_its_title_and_explained(tmp_path):
    from lago_acceptance.rules import of_phase

    rule = of_phase(2)[0]
    check = Check(f"suites/phase2_services/test_rules.py::test_rule[{rule.id}]", 2, "passed", 1.0, 0.1)
    (result,) = results(tmp_path / "allure", summary((check,))).values()
    entry = allure.registry.known(rule.id)
    assert entry and f"{result['name']}." == entry.title and rule.id in result["descriptionHtml"]


def test_steps_have_their_real_durations_and_the_bring_up_is_everybodys_set_up(written, tmp_path):
    setup, call = written["It [a]"]["steps"]
    assert [(each["name"], each["stop"] - each["start"]) for each in setup["steps"]] == [
        ("Bring the deployment up", 55000),
        ("Read the host's facts", 5000),
    ]
    assert (call["name"], call["stop"] - call["start"], call["status"]) == ("Judge", 500, "passed")
    assert written["It [b]"]["steps"][-1]["status"] == "failed"
    (container,) = read(tmp_path / "allure", "*-container.json")
    assert sorted(container["children"]) == sorted(each["uuid"] for each in written.values())
    assert [each["name"] for each in container["befores"]] == [
        "Bring the deployment up",
        "Read the host's facts",
    ]


def test_the_history_of_a_check_is_its_own_on_each_host(tmp_path):
    first, again, other = (
        results(tmp_path / str(number), summary(host=host))
        for number, host in enumerate(("root@a", "root@a", "root@b"))
    )
    assert len({each["historyId"] for each in first.values()}) == len(CHECKS)
    for name, each in first.items():
        assert each["historyId"] == again[name]["historyId"] != other[name]["historyId"]
        assert each["testCaseId"] == other[name]["testCaseId"]
        assert each["uuid"] != again[name]["uuid"]
        assert {"name": "host", "value": "root@a"} in each["parameters"]
    assert first["It [a]"]["testCaseId"] == first["It [b]"]["testCaseId"]


def test_environment_executor_and_categories(written, tmp_path, monkeypatch):
    environment = (tmp_path / "allure" / "environment.properties").read_text()
    assert "Host=root@billing\n" in environment and "Lago=v1.16.0\n" in environment
    assert "Deployment=C\\:\\\\lago\\ \\=\\ here\n" in environment
    (executor,) = read(tmp_path / "allure", "executor.json")
    assert executor["buildName"]
    (categories,) = read(tmp_path / "allure", "categories.json")
    assert [each["name"] for each in categories][:4] == [
        "Deployment fault",
        "Blocked",
        "Not judged",
        "Fault of the suite",
    ]


@pytest.mark.parametrize("end", ["failed", "blocked", "unknown", "crashed", "waived"])
def test_each_end_is_in_one_category(written, end):
    import re

    of = {
        "failed": ("It [b]", "Deployment fault"),
        "blocked": ("Other", "Blocked"),
        "unknown": ("Name", "Not judged"),
        "crashed": ("Crash", "Fault of the suite"),
        "waived": ("Known", "Waived or skipped"),
    }
    name, category = of[end]
    result = written[name]
    message = result["statusDetails"]["message"]
    fitting = [
        each["name"]
        for each in allure.categories()
        if result["status"] in each["matchedStatuses"] and re.fullmatch(each["messageRegex"], message)
    ]
    assert fitting == [category]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_RUN_ID": "7",
                "GITHUB_RUN_NUMBER": "3",
                "GITHUB_WORKFLOW": "nightly",
            },
            ("github", 3, "nightly #3", "https://github.com/a/b/actions/runs/7"),
        ),
        (
            {
                "GITLAB_CI": "true",
                "CI_JOB_NAME": "look",
                "CI_PIPELINE_IID": "4",
                "CI_JOB_URL": "https://user:hunter2hunter@git.example/j/1",
            },
            ("gitlab", 4, "look #4", "https://<secret>@git.example/j/1"),
        ),
        (
            {
                "JENKINS_URL": "https://ci/",
                "JOB_NAME": "look",
                "BUILD_NUMBER": "5",
                "BUILD_URL": "https://ci/5",
            },
            ("jenkins", 5, "look #5", "https://ci/5"),
        ),
        ({"HOME": "/root"}, ("local", None, "the-run", None)),
    ],
    ids=["GitHub", "GitLab", "Jenkins", "here"],
)
def test_the_executor_is_the_ci_server(variables, expected):
    found = allure.executor(variables, "the-run")
    type, order, name, url = expected
    assert (found["type"], found.get("buildOrder"), found["buildName"]) == (type, order, name)
    if url and "<secret>" in url:
        assert "hunter2hunter" not in found["buildUrl"]
    else:
        assert found.get("buildUrl") == url


def test_logs_screenshots_and_traces_are_attached_to_their_checks(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "browser").mkdir()
    (tmp_path / "logs" / "lago-worker-1.log").write_text("it died\n")
    (tmp_path / "logs" / "lago-worker-1.json").write_text('{"service": "lago-worker", "role": "worker"}')
    (tmp_path / "browser" / "test_other.png").write_bytes(b"an image")
    (tmp_path / "browser" / "test_other-trace.zip").write_bytes(b"a trace")
    (tmp_path / "browser" / "test_it-a-.png").write_bytes(b"of a check that passed in the end")
    written = results(tmp_path / "allure", summary())

    def attached(name: str) -> dict[str, bytes]:
        return {
            each["name"]: (tmp_path / "allure" / each["source"]).read_bytes()
            for each in written[name].get("attachments", ())
        }

    assert set(attached("It [b]")) == {"lago-worker-1.log", "lago-worker-1.json"}
    assert attached("It [b]")["lago-worker-1.log"] == b"it died\n"
    assert attached("Other") == {"test_other.png": b"an image", "test_other-trace.zip": b"a trace"}
    assert attached("It [a]") == {}
    (whole,) = read(tmp_path / "allure", "*-globals.json")
    assert {each["name"] for each in whole["attachments"]} == {"lago-worker-1.log", "lago-worker-1.json"}


def test_a_run_without_a_verdict_says_why(tmp_path):
    notes = ("not judged: no route to host",)
    allure.write(tmp_path / "allure", summary((), exit_code=6, verdict="not reached", notes=notes))
    (whole,) = read(tmp_path / "allure", "*-globals.json")
    assert whole["errors"][0]["message"] == "not reached" and notes[0] in whole["errors"][0]["trace"]


def test_what_holds_a_secret_is_not_written(tmp_path):
    secret = f"s{secrets.token_hex(12)}"
    check = Check(f"{WORK}::test_{secret}", 2, "passed", 1.0, 0.0)
    Redactor.shared.learn(secret)
    assert allure.write(tmp_path / "allure", summary((check, CHECKS[0]))) == [check.name]
    assert len(read(tmp_path / "allure")) == 1
    assert not [path for path in (tmp_path / "allure").iterdir() if secret in path.read_text()]
