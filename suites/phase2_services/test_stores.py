"""Phase 2: the names of the database, Redis and PDF service are this deployment's."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import stores

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_the_names_of_the_stores_are_this_deployments(facts, judge):
    judge(stores.names_are_the_deployments_own(facts))
