"""Faults that stop billing silently: each is the first red of a smoke run, by its cause, and nothing else is red."""

from __future__ import annotations

import pytest

from tests.support import suite_run
from tests.support.live import faults
from tests.support.live.faults.every import FAULTS

pytestmark = [pytest.mark.stack, pytest.mark.docker]


@pytest.mark.parametrize(
    "fault",
    [pytest.param(each, id=each.name, marks=pytest.mark.exhaustive if each.slow else ()) for each in FAULTS],
)
def test_it_is_named_at_its_cause_and_nothing_else_is_red(fault, live_lago, tmp_path):
    judged = faults.judge(fault, live_lago, tmp_path)
    assert judged.names_cause, f"{judged.row}\n{judged.output[-6000:]}"
    assert judged.others <= fault.also, f"{judged.row}\n{judged.output[-6000:]}"


def test_a_host_whose_faults_are_gone_is_accepted(live_lago, tmp_path):
    result = suite_run.run(tmp_path, "-m", "smoke", *live_lago.options)
    assert result.code == 0, result.output[-6000:]
