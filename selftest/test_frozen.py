"""A change of structure changes nothing for a user: what was recorded before it is what is seen now."""

from __future__ import annotations

import pytest

from selftest import frozen_behaviour


@pytest.mark.parametrize("view", frozen_behaviour.VIEWS)
def test_nothing_has_changed_for_a_user(view):
    assert frozen_behaviour.VIEWS[view]() == frozen_behaviour.recorded(view)
