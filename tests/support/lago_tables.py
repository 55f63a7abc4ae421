"""A real PostgreSQL with Lago's tables, as the stand-in's migrations make them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

from lago_acceptance.checks import billing_signs
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.settings import Signs
from lago_acceptance.core.verdicts import Blocked
from lago_acceptance.core.waiting import until
from lago_acceptance.facts import answers, signs
from lago_acceptance.facts.answers import DatabaseAnswers
from lago_acceptance.facts.scripts import render
from lago_acceptance.images import resolve
from tests.support.containers import Container, running
from tests.support.facts import container as container_facts
from tests.support.facts import facts
from tests.support.patience import PATIENCE

MIGRATIONS = ROOT / "testbed" / "standins" / "lago-api" / "app" / "db" / "migrate"
_BETWEEN = "--- the next one"
# Nothing of it outlives the test.
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")


class LagoTables:
    """The database ``lago`` of one container."""

    def __init__(self, container: Container):
        self.container = container

    def sql(self, text: str) -> str:
        """What psql prints for statements; AssertionError with PostgreSQL's words if one fails."""
        ended = self._psql(text, "-v", "ON_ERROR_STOP=1")
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def looks(self, *befores: str, bounds: Signs | None = None) -> list[tuple[DatabaseAnswers, str]]:
        """For each of some statements what is answered, and what went wrong, after it alone: it is undone afterwards."""
        asked = render.script("database.sql")
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY\\; "
        questions = asked.replace(begin, "").replace("ROLLBACK;", "")
        assert len(questions) < len(asked) - 20, "the questions are not in a transaction of their own"
        text = signs.as_variables(bounds or Signs()) + "SET client_min_messages = warning;\nBEGIN;\n"
        for before in befores:
            text += f"SAVEPOINT look;\n{before};\n{questions}\nROLLBACK TO look;\n\\echo {_BETWEEN}\n"
        ended = self._psql(text + "ROLLBACK;", "-v", "ON_ERROR_ROLLBACK=on")
        assert ended.returncode == 0, ended.stderr
        printed = ended.stdout.split(_BETWEEN)[:-1]
        found = [answers.database({"": each}) for each in printed]
        return [(each, ended.stderr) for each, _ in found if each is not None]

    def _psql(self, text: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "exec", "-i", self.container.name]
        command += ["psql", "-X", "-q", "-A", "-t", "-U", "postgres", "-d", "lago", *options]
        return subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False
        )


AnswersOfCases = dict[str, DatabaseAnswers]
"""What the database answers in each case, by the case's name."""


def answers_of_cases(tables: LagoTables, healthy: str, cases: dict[str, str]) -> AnswersOfCases:
    """What is answered after the statements of each case, in one session; no statement failed."""
    answered = tables.looks(*(f"{healthy};{change}" for change in cases.values()))
    errors = [line for line in answered[0][1].splitlines() if "ERROR" in line and "time zone" not in line]
    assert errors == []
    return {name: answers for name, (answers, _) in zip(cases, answered, strict=True)}


def red_signs(answers: DatabaseAnswers) -> dict[str, str]:
    """The problems by the ids of the signs that are red."""
    known = facts(container_facts("db"), database=answers)
    found = {}
    for sign in billing_signs.SIGNS.values():
        try:
            found |= {each.id: each.problem for each in billing_signs.of_database(known, sign)}
        except Blocked as blocked:
            # As Lago's own queries end.
            assert blocked.by == "timezone-unknown"
    return found


@contextlib.contextmanager
def lago_tables() -> Iterator[LagoTables]:
    """The tables, with one organization in them."""
    options = (
        "--env=POSTGRES_PASSWORD=postgres",
        "--env=POSTGRES_DB=lago",
        "--tmpfs=/var/lib/postgresql/data",
    )
    with running(resolve.stand_in("postgres"), "postgres", *_FAST, options=options) as container:
        # The server that sets the database up listens on no address.
        answers_ = ("pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", "lago")
        until(lambda: container.execute(*answers_).returncode == 0, PATIENCE, what="PostgreSQL")
        found = LagoTables(container)
        found.sql("\n".join(path.read_text() for path in sorted(MIGRATIONS.iterdir())))
        found.sql(
            """INSERT INTO organizations (name, document_numbering, document_number_prefix, hmac_key, created_at, updated_at)
               VALUES ('Acme', 'per_customer', 'ACM-0001', 'key', '2020-01-01', '2020-01-01');
               INSERT INTO api_keys (organization_id, value) SELECT id, 'value' FROM organizations;
               CREATE TABLE schema_migrations (version character varying NOT NULL PRIMARY KEY);
               INSERT INTO schema_migrations VALUES ('20241119110219')"""
        )
        yield found
