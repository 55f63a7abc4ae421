"""Phase 2: PostgreSQL lets Lago in and takes its work, keeps its data, and has the schema of the Lago that runs."""

from __future__ import annotations

import pytest

from lago_acceptance.checks import database, schema, schema_structure
from lago_acceptance.checks.postgres import clients, service, tables, upkeep

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


def test_the_database_takes_writes(facts, judge):
    judge(service.takes_writes(facts))


def test_the_database_has_connections_left(facts, judge):
    judge(service.has_connections_left(facts))


def test_nobody_keeps_the_database_locked(facts, judge):
    judge(service.nobody_keeps_it_locked(facts))


def test_transactions_in_the_database_end(facts, settings, judge):
    judge(service.transactions_end(facts, settings))


def test_the_databases_settings_let_lago_work(facts, judge):
    judge(service.lets_lago_work(facts))


def test_the_databases_clients_belong_to_the_deployment(facts, settings, judge):
    judge(clients.belong_to_the_deployment(facts, settings))


def test_the_database_is_the_one_that_lago_uses(facts, judge):
    judge(clients.is_used_by_lago(facts))


def test_the_database_has_not_crashed(facts, judge):
    judge(upkeep.has_not_crashed(facts))


def test_the_database_is_crash_safe(facts, judge):
    judge(upkeep.is_crash_safe(facts))


def test_the_databases_replication_slots_are_read(facts, judge):
    judge(upkeep.slots_are_read(facts))


def test_the_databases_wal_is_archived(facts, judge):
    judge(upkeep.wal_is_archived(facts))


def test_the_databases_indexes_are_valid(facts, judge):
    judge(tables.indexes_are_valid(facts))


def test_the_databases_sequences_have_numbers_left(facts, judge):
    judge(tables.sequences_have_numbers_left(facts))


def test_the_databases_tables_are_vacuumed(facts, judge):
    judge(tables.autovacuum_is_on(facts))


def test_the_databases_texts_are_sorted_as_its_indexes_are(facts, judge):
    judge(tables.collations_are_the_same(facts))
