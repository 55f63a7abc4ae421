"""junit.xml as CI servers read it: a suite for each host and phase, and nothing red that is shown as skipped."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.report_files import NotWritten
from lago_acceptance.reports import junit
from lago_acceptance.reports.summary import Check

RED = Finding(id="queue-stuck", role="worker", problem="nobody reads it", impact="no bill", fix="start one")
WARNING = Finding(id="disk-low", severity=Severity.WARNING, problem="little", impact="full", fix="clean up")
MISSING = "not judged: the invoice (because of queue-stuck)"
CHECKS = (
    Check("suites/phase2_services/test_work.py::test_it[a]", 2, "passed", 100.25, 0.5),
    Check("suites/phase2_services/test_work.py::test_it[b]", 2, "failed", 100.5, 0.25, "", (RED,)),
    Check("suites/phase2_services/test_work.py::test_warned", 2, "passed", 101.0, 0.0, findings=(WARNING,)),
    Check(
        "suites/phase5_validation/test_api.py::test_b",
        5,
        "blocked",
        102.0,
        0.0,
        MISSING,
        blocked_by="queue-stuck",
    ),
    Check("suites/phase5_validation/test_api.py::test_u", 5, "unknown", 102.0, 0.0, "no key", fix="set it"),
    Check("suites/phase5_validation/test_api.py::test_c", 5, "crashed", 102.0, 0.0, "ValueError: x"),
    Check("suites/phase5_validation/test_api.py::test_w", 5, "waived", 102.0, 0.0, "waived: known"),
)
HOST = "ssh://root@billing"
ABOUT = {"host": HOST, "lago": "v1.16.0", "suite": "lago-acceptance 1.0.0"}


@pytest.fixture
def written(tmp_path) -> ElementTree.Element:
    """The root of what is written of CHECKS."""
    junit.write(tmp_path / "junit.xml", CHECKS, HOST, ABOUT)
    return ElementTree.parse(tmp_path / "junit.xml").getroot()


def test_host_and_phase_are_suites(written):
    assert written.tag == "testsuites"
    assert [suite.attrib["name"] for suite in written] == [
        "ssh://root@billing phase 2 Services",
        "ssh://root@billing phase 5 Validation",
    ]
    for suite in written:
        properties = suite.find("properties")
        assert properties is not None
        assert {each.attrib["name"]: each.attrib["value"] for each in properties} == ABOUT
    assert written[0].attrib["timestamp"] == "1970-01-01T00:01:40"


def test_numbers_are_those_of_the_cases(written):
    for element in (written, *written):
        cases = list(element.iter("testcase"))
        counted = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
        }
        assert {name: int(element.attrib[name]) for name in counted} == counted
    assert written.attrib["errors"] == "2" and written[0].attrib["time"] == "0.750"


@pytest.mark.parametrize(
    ("name", "end", "type", "message"),
    [
        ("test_it[b]", "failure", "queue-stuck", "[queue-stuck] worker: nobody reads it"),
        ("test_b", "error", "blocked", "blocked by queue-stuck: the invoice"),
        ("test_u", "skipped", "unknown", "no key"),
        ("test_c", "error", "crashed", "ValueError: x"),
        ("test_w", "skipped", "waived", "waived: known"),
    ],
)
def test_how_each_check_ended(written, name, end, type, message):
    (case,) = [case for case in written.iter("testcase") if case.attrib["name"] == name]
    (found,) = case
    assert (found.tag, found.attrib["type"], found.attrib["message"]) == (end, type, message)
    assert case.attrib["classname"].startswith("suites.phase")


def test_the_whole_is_in_the_text_and_warnings_are_output(written):
    failure, output = written.find(".//failure"), written.find(".//system-out")
    assert failure is not None and "fix: start one" in (failure.text or "")
    assert output is not None and "[disk-low] little" in (output.text or "")
    skipped = written.find(".//skipped")
    assert skipped is not None and skipped.text == "no key\nset it"


def test_what_ended_the_run_is_a_suite_of_its_own(tmp_path):
    check = Check("verdict", junit.NO_PHASE, "crashed", 0.0, 0.0, "not judged: no route to host")
    junit.write(tmp_path / "junit.xml", [check], HOST, ABOUT)
    (suite,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert suite.attrib["name"] == "ssh://root@billing the run itself" and suite.attrib["errors"] == "1"
    assert "timestamp" not in suite.attrib


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "device"
    pipe.symlink_to("/dev/null")
    junit.write(pipe, CHECKS, HOST, ABOUT)
    assert pipe.is_symlink() and not pipe.is_file()


def test_a_folder_that_is_gone_is_said(tmp_path):
    with pytest.raises(NotWritten, match="junit.xml can't be written"):
        junit.write(tmp_path / "gone" / "junit.xml", CHECKS, HOST, ABOUT)
