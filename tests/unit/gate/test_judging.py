"""What is learnt of one file has no effect on what is said of the next, even where one process judges both."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.gate import workers
from lago_acceptance.gate.engine import FileVerdict, Judging, Question

WORD = "warehouse-network"
WITH_THE_WORD_AS_PASSWORD = f"""\
services:
  db:
    image: postgres:15.7
    environment: {{POSTGRES_PASSWORD: {WORD}}}
"""
WITH_THE_WORD_AS_NAME = f"""\
services:
  db:
    image: postgres:15.7
    networks: [{WORD}]
"""


def verdicts(folder: Path, *texts: str) -> tuple[FileVerdict, ...]:
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / str(number) / "docker-compose.yml")
        paths[-1].parent.mkdir()
        paths[-1].write_text(text)
    with Judging(paths, Question(None, None, SETTINGS)) as judging:
        return judging.verdicts


def told(verdict: FileVerdict) -> str:
    return " ".join(f"{each.problem} {each.impact} {each.fix}" for each in verdict.all_findings)


@pytest.mark.parametrize("first", [WITH_THE_WORD_AS_PASSWORD, WITH_THE_WORD_AS_NAME], ids=["after", "alone"])
def test_the_password_of_one_file_may_be_a_name_in_the_next(first, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_AT_ONCE", 1)
    *_, last = verdicts(tmp_path, first, WITH_THE_WORD_AS_NAME)
    assert WORD in told(last)


def test_a_password_is_in_nothing_that_is_said_of_its_own_file(tmp_path):
    [verdict] = verdicts(tmp_path, WITH_THE_WORD_AS_PASSWORD)
    assert verdict.all_findings and WORD not in told(verdict)
