"""The documented form of summary.json is the one that is written."""

from __future__ import annotations

import json

import jsonschema
import pytest

from lago_acceptance.core.findings import Finding, Place
from lago_acceptance.core.measurements import MEASURES, Measurement
from lago_acceptance.core.resources import ROOT
from lago_acceptance.reports import verdict
from lago_acceptance.reports.schema import document
from lago_acceptance.reports.summary import FORMAT, Check, Step, Summary, iso, read

FILE = ROOT / "docs" / "summary.schema.json"
FINDING = Finding(
    id="queue-stuck",
    role="worker",
    service="lago-worker",
    place=Place("compose.yml", 3),
    problem="nobody reads it",
    impact="no bill",
    fix="start one",
)
CHECKS = (
    Check(
        "suites/a.py::test_a",
        2,
        "failed",
        1.0,
        0.5,
        findings=(FINDING,),
        about="All is well",
        steps=(Step("setup", 0.0, 1.0, (Step("up", 0.0, 1.0),)),),
    ),
    Check("suites/a.py::test_b", 5, "blocked", 1.0, 0.5, "x", blocked_by="queue-stuck"),
    Check("suites/a.py::test_c", 5, "unknown", 1.0, 0.5, "x", why="y", fix="z"),
)


@pytest.fixture
def written(tmp_path):
    """A summary.json with something in every field."""
    summary = Summary(
        run="20261127-120000-abcdef",
        version="1.0.0",
        target="live",
        host="root@billing",
        started=iso(0),
        ended=iso(80),
        seconds=80.0,
        verdict="not accepted",
        exit_code=1,
        causes=verdict.causes(CHECKS),
        not_judged=verdict.not_judged(CHECKS),
        measurements=(Measurement(next(iter(MEASURES)), 1.0),),
        timings={"up": 1.0},
        stand_ins=("lago-api",),
        images={"lago-api": "stand-in"},
        notes=("a note",),
        checks=CHECKS,
    )
    summary.write(tmp_path / "summary.json")
    return tmp_path / "summary.json"


def test_the_schema_in_the_documentation_is_the_present_one():
    assert FILE.read_bytes() == document(), "run: python -m lago_acceptance.reports.schema"


def test_a_summary_fits_the_schema(written):
    schema = json.loads(FILE.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(written.read_text()), schema)
    assert read(written).checks == CHECKS
    assert str(FORMAT) in schema["title"]


@pytest.mark.parametrize("field", ["run", "verdict", "exit_code", "checks"])
def test_what_lacks_a_field_does_not_fit(written, field):
    broken = json.loads(written.read_text())
    del broken[field]
    with pytest.raises(jsonschema.ValidationError, match=field):
        jsonschema.validate(broken, json.loads(FILE.read_text()))
