"""Phase 2: the schema is exactly the one of the Lago that runs. Rails is booted for this, so it is for the night."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import schema_dump as exact

pytestmark = [pytest.mark.nightly, pytest.mark.phase2]


def test_the_schema_is_what_rails_would_write(facts, schema_dump, judge):
    judge(exact.is_what_rails_would_write(facts, schema_dump))
