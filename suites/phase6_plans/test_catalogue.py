"""Phase 6: Lago holds the catalogue's plans, as they should be."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import plans

pytestmark = [pytest.mark.smoke, pytest.mark.phase6]


def test_seeding_worked(seeded):
    seeded.value()


def test_every_plan_of_the_catalogue_is_in_lago(catalogue, held_plans, judge):
    judge(plans.each_is_in_lago(catalogue, held_plans))


def test_every_plan_is_as_the_catalogue_says(catalogue, held_plans, judge):
    judge(plans.each_is_as_the_catalogue_says(catalogue, held_plans))


def test_every_metric_is_as_the_catalogue_says(catalogue, inside_view, seeded, judge):
    judge(plans.metrics_are_as_the_catalogue_says(catalogue, inside_view, seeded))


def test_what_else_lago_offers_is_told(catalogue, held_plans, judge):
    judge(plans.others_are_reported(catalogue, held_plans))
