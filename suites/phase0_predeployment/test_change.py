"""Against what runs (``--base``): what only a change can break."""

from __future__ import annotations

import pytest

from lago_acceptance.rules import change_rules

pytestmark = [pytest.mark.gate, pytest.mark.phase0]


@pytest.mark.parametrize("change", change_rules().values(), ids=lambda rule: rule.id)
def test_change(change, changed, judge):
    judge(changed(change))
