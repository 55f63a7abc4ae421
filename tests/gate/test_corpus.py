"""Each rule reports what it is for, however it is written, and nothing else: recall and precision over the corpus."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lago_acceptance.composefile.loader import load
from lago_acceptance.core import settings
from lago_acceptance.core.resources import ROOT
from lago_acceptance.gate.engine import findings_of
from lago_acceptance.rules import rules
from tests.support import corpus_files

SETTINGS = settings.load(ROOT / "settings.toml")


def reported(source) -> set[str]:
    return {rule.id for rule in rules().values() if findings_of(rule, [source], SETTINGS)}


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> list[tuple[corpus_files.Case, set[str]]]:
    folder = tmp_path_factory.mktemp("corpus")
    cases = corpus_files.cases()
    paths = [corpus_files.write(folder / str(case.line), case.base, case.edits) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        sources = list(pool.map(lambda path: load(path, None), paths))
    return [(case, reported(source)) for case, source in zip(cases, sources, strict=True)]


@pytest.mark.parametrize("name", corpus_files.HEALTHY)
def test_a_healthy_file_has_no_finding(name, tmp_path: Path):
    source = load(corpus_files.write(tmp_path, name), None)
    assert source.written.compose_error == ""
    assert reported(source) == set()


@pytest.mark.parametrize("rule", rules())
def test_a_rule_reports_its_defect(rule, judged):
    own = [(case, found) for case, found in judged if case.rules[0] == rule]
    assert len(own) >= 3, f"{rule} has {len(own)} files in the corpus; it needs 3"
    missed = [case.line for case, found in own if rule not in found]
    assert not missed, f"cases.txt, lines {missed}: {rule} is not reported"


def test_recall_and_precision(judged, record_property, capsys):
    rows = []
    for rule in rules():
        wanted = [rule in found for case, found in judged if rule in case.rules]
        problem = [case.line for case, found in judged if rule in found and rule not in case.rules]
        hits = sum(wanted)
        rows.append(
            (
                rule,
                hits / len(wanted) if wanted else 0.0,
                hits / (hits + len(problem)) if hits or problem else 1.0,
                problem,
            )
        )
    with capsys.disabled():
        print(f"\n{'rule':40} recall precision")
        for rule, recall, precision, problem in rows:
            print(
                f"{rule:40} {recall:6.2f} {precision:9.2f}"
                + (f"  also on lines {problem}" if problem else "")
            )
    assert [row for row in rows if row[1] < 1 or row[2] < 1] == []


@pytest.mark.parametrize(
    "case", corpus_files.cases("harmless.txt"), ids=lambda case: f"{case.rules[0]}-{case.line}"
)
def test_what_only_looks_like_a_defect_is_no_finding(case, tmp_path: Path):
    source = load(corpus_files.write(tmp_path, case.base, case.edits), None)
    assert source.written.compose_error == ""
    assert reported(source) == set()


@pytest.mark.parametrize("script", ["start.worker.sh", "start.clock.sh", "migrate.sh", "start.api.sh"])
def test_no_rule_breaks_on_a_part_of_lago(script, tmp_path: Path):
    path = tmp_path / "docker-compose.yml"
    path.write_text(
        f"services: {{a: {{image: 'getlago/api:v1.16.0', command: ./scripts/{script}}}}}\n", "utf-8"
    )
    model = load(path, None).model
    for rule in rules().values():
        rule.findings(model, SETTINGS, lambda hit: None)
