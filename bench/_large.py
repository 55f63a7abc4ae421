"""Fills the database of a host with many rows."""

from __future__ import annotations

import subprocess

from bench._measuring import DEADLINE
from tests.support.deploy.host import DeployableHost

FEES_OF_INVOICE = 50


def fill(lago: DeployableHost, *, events: int, fees: int) -> None:
    """Many events of one subscription, and invoices with fifty fees each."""
    lago.put_data()
    for table, own, value, number in (
        ("events", "transaction_id", "'bench-' || place", events),
        ("invoices", "sequential_id", "1000 + place", fees // FEES_OF_INVOICE),
        ("fees", "created_at", "now()", fees),
    ):
        columns = lago.sql(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns "
            f"WHERE table_name = '{table}' AND column_name NOT IN ('id', '{own}')"
        )
        run(
            lago,
            f"INSERT INTO {table} (id, {own}, {columns}) SELECT gen_random_uuid(), {value}, {columns} "
            f"FROM (SELECT * FROM {table} LIMIT 1) AS one, generate_series(1, {number}) AS place",
        )
    run(
        lago,
        "UPDATE fees SET invoice_id = ids[1 + floor(random() * cardinality(ids))] FROM (SELECT array_agg(id) AS ids FROM invoices) AS all_of_them",
    )


def run(lago: DeployableHost, sql: str) -> None:
    """Run a statement for as long as it takes."""
    inside = ["docker", "exec", lago.container("lago-db"), "psql", "-X", "-q", "-U", "lago", "-d", "lago"]
    subprocess.run([*inside, "-c", "SET statement_timeout = 0", "-c", sql], check=True, timeout=DEADLINE)
