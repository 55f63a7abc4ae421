"""Reports of a run stay valid and harmless, whatever containers have said; secrets in them are taken out."""

from __future__ import annotations

import json
import secrets
import unicodedata
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from lago_acceptance.clients.browser import scrub
from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.measurements import MEASURES, Measurement
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import Redactor, redact
from lago_acceptance.reports import allure, junit
from lago_acceptance.reports.summary import Cause, Check, Deployment, NotJudged, Summary
from lago_acceptance.reports.terminal import render

HOSTILE = '\x1b[31m\x00\udcff\u202e\n::error::forged\n##[error]x <>&\'"\\ {"password": "hunter2hunter"}'


def _reasons(text: str) -> tuple[str, tuple[()], str, str, str]:
    said = redact(one_line(text))
    return said, (), said, said, said


def summary(text: str) -> Summary:
    finding = Finding(
        id="service-down",
        problem=text,
        impact=text,
        fix=text,
        service=text,
        place=Place(text.partition("{")[0], 1),
    )
    return Summary(
        run=text,
        version="1",
        target="live",
        host=text,
        project=text,
        deployment=Deployment(text, text, text, text),
        verdict=text,
        exit_code=1,
        seconds=1.0,
        causes=(Cause(finding, (text,), (text,)),),
        not_judged=(NotJudged(text, text, (text,), text, text),),
        measurements=(Measurement(next(iter(MEASURES)), 1.0, text),),
        timings={text: 1.0},
        stand_ins=(text,),
        images={text: text},
        notes=(text,),
        checks=(
            Check("suites/a.py::test_b[plan]", 2, "failed", 1.0, 1.0, text, (finding,)),
            # As plugin/outcomes.py and plugin/reporting.py leave a reason.
            Check("suites/a.py::test_c", 2, "unknown", 1.0, 1.0, *_reasons(text)),
        ),
    )


def texts(document: object) -> Iterator[str]:
    """Every text in a document, names of entries too."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from texts(value)
    elif isinstance(document, list):
        for value in document:
            yield from texts(value)
    elif isinstance(document, str):
        yield document


def assert_harmless(text: str) -> None:
    """Nothing that a terminal acts on or nobody sees, and no command for a CI server."""
    assert not [
        each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs") and each not in "\n\t"
    ]
    assert not [line for line in text.splitlines() if line.lstrip().startswith(("::", "##["))]


@pytest.mark.parametrize("form", ["summary.json", "terminal", "allure"])
def test_whatever_a_name_holds_every_report_is_harmless(form, tmp_path):
    hostile = summary(HOSTILE)
    if form == "summary.json":
        hostile.write(tmp_path / "summary.json")
        documents = [json.loads((tmp_path / "summary.json").read_text("utf-8"))]
    elif form == "allure":
        allure.write(tmp_path / "allure", hostile)
        documents = [json.loads(path.read_text("utf-8")) for path in (tmp_path / "allure").glob("*.json")]
        assert documents
    else:
        documents = [render(hostile, lambda text, **_: text)]
    for document in documents:
        for text in texts(document):
            assert_harmless(text)


def test_the_summary_is_json_of_harmless_text(tmp_path):
    summary(HOSTILE).write(tmp_path / "summary.json")
    written = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    (note,) = written["notes"]
    assert note.startswith("\\x1b[31m\\x00\\udcff\\u202e\n\\x3a:error::forged\n\\x23#[error]x <>&")
    assert note.endswith('{"password": "<secret>"}')
    assert written["checks"][0]["findings"][0]["problem"].count("\n") == 0


def test_the_terminal_gets_one_harmless_line_a_note():
    lines = render(summary(HOSTILE), lambda text, **_: text).splitlines()
    assert not [line for line in lines if "\x1b" in line or line.lstrip().startswith(("::", "##["))]
    assert [
        line for line in lines if line.startswith("\\x1b[31m") and "forged" in line and "\u202e" not in line
    ]


def test_allure_gets_json_of_harmless_text(tmp_path):
    assert allure.write(tmp_path / "allure", summary(HOSTILE)) == []
    path = next(
        path for path in (tmp_path / "allure").glob("*-result.json") if '"failed"' in path.read_text("utf-8")
    )
    result = json.loads(path.read_text("utf-8"))
    details, description = result["statusDetails"], result["descriptionHtml"]
    assert "\x1b" not in details["trace"] and "hunter2" not in details["trace"]
    for path in (tmp_path / "allure").iterdir():
        text = path.read_text("utf-8")
        assert "hunter2" not in text and "\x1b" not in text
    assert "x &lt;&gt;&amp;" in description and "<>&" not in description


def test_junit_is_xml_of_harmless_text(tmp_path):
    written = summary(HOSTILE)
    junit.write(tmp_path / "junit.xml", written.checks, HOSTILE, {HOSTILE: HOSTILE})
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    (suite,) = root
    assert suite.attrib["name"].startswith("\\x1b[31m") and suite.attrib["name"].count("\n") == 0
    text = (tmp_path / "junit.xml").read_text("utf-8")
    assert "hunter2" not in text and "\x1b" not in text


def test_a_trace_loses_secrets_in_text_and_among_other_bytes_alone(tmp_path):
    secret, archive = f"s{secrets.token_hex(12)}", tmp_path / "trace.zip"
    Redactor.shared.learn(secret)
    image = bytes(range(256)) * 4
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("trace.network", json.dumps({"headers": [{"value": secret}]}))
        file.writestr("resources/a.bin", image + secret.encode() + image)
        file.writestr("resources/b.png", image)
    scrub(archive)
    with zipfile.ZipFile(archive) as file:
        assert json.loads(file.read("trace.network")) == {"headers": [{"value": "<secret>"}]}
        assert file.read("resources/a.bin") == image + b"<secret>" + image
        assert file.read("resources/b.png") == image
