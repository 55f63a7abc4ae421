"""Reports of a run stay valid and harmless, whatever containers have said; secrets in them are taken out."""

from __future__ import annotations

import json
import secrets
import zipfile
from xml.etree import ElementTree

from lago_acceptance.clients.browser import scrub
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.secrets import Redactor
from lago_acceptance.reports import allure, junit
from lago_acceptance.reports.summary import Check, Summary
from lago_acceptance.reports.terminal import render

HOSTILE = '\x1b[31m\x00\udcff\u202e\n::error::forged\n##[error]x <>&\'"\\ {"password": "hunter2hunter"}'


def summary(text: str) -> Summary:
    finding = Finding(id="service-down", problem=text, impact=text, fix=text, service=text)
    return Summary(
        run=text,
        version="1",
        target="stack",
        verdict=text,
        exit_code=1,
        seconds=1.0,
        timings={},
        stand_ins=(text,),
        images={text: text},
        notes=(text,),
        checks=(Check("suites/a.py::test_b", 2, "failed", 1.0, 1.0, text, (finding,)),),
    )


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
    assert len([line for line in lines if "forged" in line]) == 2


def test_allure_gets_json_of_harmless_text(tmp_path):
    assert allure.write(tmp_path / "allure", summary(HOSTILE)) == []
    (path,) = (tmp_path / "allure").glob("*-result.json")
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
