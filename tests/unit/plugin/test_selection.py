"""What a check says that it is about."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from lago_acceptance.plugin.selection import about


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Phase 2: the clock ticks, and enqueues: in time.", "The clock ticks, and enqueues: in time"),
        ("Rules of phase 1: as declared (``-m gate``) or as it runs.", "As declared (-m gate) or as it runs"),
        ("Phase 5: a bill proves billing. Each check judges a part.", "A bill proves billing"),
        ("Rollback: what going back keeps. Takes minutes.", "What going back keeps"),
        ("Against what runs (``--base``): what breaks.", "Against what runs (--base): what breaks"),
        ("\n  Two lines.\nThe second.", "Two lines"),
        (None, ""),
    ],
)
def test_the_sentence_of_the_plan(said, sentence):
    module = ModuleType("x", said)
    assert about(cast(Any, SimpleNamespace(module=module))) == sentence


def test_what_has_no_module_is_about_nothing():
    assert about(cast(Any, SimpleNamespace())) == ""
