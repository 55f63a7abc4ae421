"""Each rule reports what it is for, however it is written, and nothing else: recall and precision over the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.loader import load
from lago_acceptance.composefile.sources import Source
from lago_acceptance.core import settings
from lago_acceptance.core.resources import ROOT
from lago_acceptance.gate.engine import found_in
from lago_acceptance.lago.derived import given_for
from lago_acceptance.rules import rules
from tests.support import corpus

SETTINGS = settings.load(ROOT / "settings.toml")


def reported(source: Source) -> set[str]:
    own, _ = given_for(None, source.model)
    return {id for id, findings in found_in(source, own).items() if findings}


@pytest.fixture(scope="module")
def judged(sources) -> list[tuple[corpus.Case, set[str]]]:
    return [(case, reported(sources[case.name])) for case in corpus.cases()]


@pytest.mark.parametrize("case", corpus.healthy_cases(), ids=lambda case: case.name)
def test_a_healthy_file_has_no_finding(case, sources):
    assert sources[case.name].written.compose_error == ""
    assert reported(sources[case.name]) == set()


@pytest.mark.parametrize("rule", rules())
def test_a_rule_reports_its_defect(rule, judged):
    own = [(case, found) for case, found in judged if case.rule == rule]
    assert len(own) >= 3, f"{rule} has {len(own)} cases; it needs 3"
    missed = [case.name for case, found in own if rule not in found]
    assert not missed, f"{rule} does not report {', '.join(missed)}"


def test_recall_and_precision(judged, capsys):
    rows = []
    for rule in rules():
        wanted = [rule in found for case, found in judged if rule in case.expected]
        wrong = [case.name for case, found in judged if rule in found and rule not in case.expected]
        hits = sum(wanted)
        rows.append(
            (
                rule,
                hits / len(wanted) if wanted else 0.0,
                hits / (hits + len(wrong)) if hits or wrong else 1.0,
                wrong,
            )
        )
    with capsys.disabled():
        print(f"\n{'rule':40} recall precision")
        for rule, recall, precision, wrong in rows:
            also = f"  reported too: {', '.join(wrong)}" if wrong else ""
            print(f"{rule:40} {recall:6.2f} {precision:9.2f}{also}")
    assert [row for row in rows if row[1] < 1 or row[2] < 1] == []


@pytest.mark.parametrize("case", corpus.harmless(), ids=lambda case: case.name)
def test_what_only_looks_like_a_defect_is_no_finding(case, sources):
    assert sources[case.name].written.compose_error == ""
    assert reported(sources[case.name]) == set()


@pytest.mark.parametrize("script", ["start.worker.sh", "start.clock.sh", "migrate.sh", "start.api.sh"])
def test_no_rule_breaks_on_a_part_of_lago(script, tmp_path: Path):
    path = tmp_path / "docker-compose.yml"
    path.write_text(
        f"services: {{a: {{image: 'getlago/api:v1.16.0', command: ./scripts/{script}}}}}\n", "utf-8"
    )
    model = load(path, None).model
    for rule in rules().values():
        rule.findings(model, SETTINGS, lambda hit: None)
