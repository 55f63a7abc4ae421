"""Rules of phase 0: the pre-deployment list, as declared (``-m gate``) or as it runs."""

from __future__ import annotations

import pytest

from lago_acceptance.rules import of_phase

pytestmark = [pytest.mark.gate, pytest.mark.phase0, pytest.mark.smoke]


@pytest.mark.parametrize("rule", of_phase(0), ids=lambda rule: rule.id)
def test_rule(rule, judged, judge):
    judge(judged(rule))
