"""Against what runs (``--base``): what only a change can break."""

from __future__ import annotations

import pytest

from lago_acceptance.rules.changes import CHANGES

pytestmark = [pytest.mark.gate, pytest.mark.phase0]


@pytest.mark.parametrize("change", CHANGES)
def test_change(change, changed, judge):
    judge(changed(change))
