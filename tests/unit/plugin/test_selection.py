"""What a check says that it is about, and which checks a run leaves out."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from lago_acceptance.plugin import selection
from lago_acceptance.plugin.selection import about, asks_for_upgrade


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("Phase 2: the clock ticks, and enqueues: in time.", "The clock ticks, and enqueues: in time"),
        ("Rules of phase 1: as declared (``-m gate``) or as it runs.", "As declared (-m gate) or as it runs"),
        ("Phase 5: a bill proves billing. Each check judges a part.", "A bill proves billing"),
        ("Upgrade: what it needs. Reads only.", "What it needs"),
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


@pytest.mark.parametrize(
    ("expression", "paths", "asked"),
    [
        ("upgrade", [], True),
        ("smoke or upgrade", [], True),
        ("phase8", [], True),
        ("", ["suites/upgrade/test_upgrade.py::test_x"], True),
        ("", ["/srv/suites/upgrade"], True),
        ("", [], False),
        ("", ["suites"], False),
        ("smoke", [], False),
        ("smoke or nightly or writes", [], False),
        ("(phase1 or phase2 or phase3 or smoke) and not writes and not browser", [], False),
        ("not rollback", [], False),
    ],
)
def test_an_upgrade_is_judged_only_where_it_is_asked_for(expression, paths, asked):
    given = SimpleNamespace(markexpr=expression, file_or_dir=paths, target=None)
    assert asks_for_upgrade(cast(Any, given)) is asked
    items = [SimpleNamespace(get_closest_marker={"upgrade": name}.get) for name in (None, "it is one")]
    left_out: list[Any] = []
    config = SimpleNamespace(
        option=given,
        hook=SimpleNamespace(pytest_deselected=lambda items: left_out.extend(items)),
    )
    first, second = items
    selection.pytest_collection_modifyitems(cast(Any, config), cast(Any, items))
    assert (items, left_out) == (([first, second], []) if asked else ([first], [second]))


@pytest.mark.parametrize(("target", "kept"), [("live", 1), ("stack", 2), (None, 2)])
def test_what_only_a_stack_has_to_say_of_an_upgrade_is_left_out_on_a_live_host(target, kept):
    given = SimpleNamespace(markexpr="", file_or_dir=[], target=target)
    items = [SimpleNamespace(get_closest_marker={}.get, fixturenames=names) for names in ([], ["stack_runs"])]
    config = SimpleNamespace(option=given, hook=SimpleNamespace(pytest_deselected=lambda items: None))
    selection.pytest_collection_modifyitems(cast(Any, config), cast(Any, items))
    assert [each.fixturenames for each in items] == [[], ["stack_runs"]][:kept]
