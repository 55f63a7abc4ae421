"""A change of structure changes nothing for a user: what was recorded before it is what is seen now."""

from __future__ import annotations

import pytest

from tests.support import frozen


@pytest.mark.parametrize("view", frozen.VIEWS)
def test_nothing_has_changed_for_a_user(view):
    assert frozen.VIEWS[view]() == frozen.recorded(view)
