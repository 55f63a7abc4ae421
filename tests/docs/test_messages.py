"""docs/troubleshooting.md and the messages of the library: what is quoted exists, and what ends a run is quoted."""

from __future__ import annotations

import re

import pytest

from tests.support import messages
from tests.support.paths import ROOT

PAGE = " ".join((ROOT / "docs" / "troubleshooting.md").read_text("utf-8").split())
QUOTED = re.findall(r'\*"([^"]+)"\*', PAGE)


def test_quoted_messages_are_messages_of_the_library():
    texts = messages.everywhere()
    assert len(QUOTED) > 100
    assert [each for each in QUOTED if not messages.pattern(each).search(texts)] == []


@pytest.mark.parametrize("exception", ["Unreachable", "NoImage", "Unknown"])
def test_each_reason_why_nothing_is_judged_is_explained(exception):
    raised = messages.raised(exception)
    assert raised
    missing = {
        place: text
        for place, text in raised.items()
        if not any(messages.pattern(each).search(text) for each in QUOTED)
    }
    assert missing == {}


def test_a_quotation_says_enough_to_be_found():
    assert [each for each in QUOTED if len(each.replace(messages.FILLED_IN, "").strip()) < 9] == []
