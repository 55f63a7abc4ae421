"""Phase 2: the database, Redis and PDF service that Lago uses are this deployment's, and in reach."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import stores

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_the_names_of_the_stores_are_this_deployments(facts, judge):
    judge(stores.names_are_the_deployments_own(facts))


def test_lago_works_on_this_deployments_servers(facts, judge):
    judge(stores.they_are_this_deployments(facts))


def test_lago_reaches_its_stores(facts, judge):
    judge(stores.they_are_reached(facts))
