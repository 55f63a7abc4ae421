"""Rules of phase 3: names, routers and certificates, as declared (``-m gate``) or as it runs."""

from __future__ import annotations

import pytest

from lago_acceptance.rules import of_phase

pytestmark = [pytest.mark.gate, pytest.mark.phase3, pytest.mark.smoke]


@pytest.mark.parametrize("rule", of_phase(3), ids=lambda rule: rule.id)
def test_rule(rule, judged, judge):
    judge(judged(rule))
