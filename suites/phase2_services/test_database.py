"""Phase 2: PostgreSQL lets Lago in, keeps its data on a volume, and has the schema of the Lago that runs."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import database, schema, schema_structure

pytestmark = [pytest.mark.smoke, pytest.mark.phase2]


def test_the_database_lets_lago_in_with_its_own_url(facts, judge):
    judge(database.lets_lago_in(facts))


def test_the_database_lies_on_its_volume(facts, judge):
    judge(database.data_are_on_a_volume(facts))


def test_migrate_has_finished(facts, judge):
    judge(schema.migration_has_finished(facts))


def test_the_schema_is_the_images(facts, settings, judge):
    judge(schema.is_the_images(facts, settings))


def test_the_schema_is_lagos_alone(facts, judge):
    judge(schema.is_lagos_alone(facts))


def test_the_schema_has_the_structure_of_the_image(facts, settings, judge):
    judge(schema_structure.is_that_of_the_image(facts, settings))
