"""The commands of an upgrade, with the files, folders and services of one deployment."""

from __future__ import annotations

import re
import shlex
import textwrap
from itertools import groupby

import msgspec

from lago_acceptance.composefile.written_places import WrittenFiles
from lago_acceptance.composefile.written_services import WrittenService, services_of, variables_of
from lago_acceptance.core.roles import API, CLOCK, DB, WORKER
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.lago.upgrades import Proof, Task

HOST = "ssh://root@HOST"
_WIDTH = 100
# Above this many, tables with the same condition are counted in a loop.
_FEW = 3
_QUOTED = re.compile(r"'[^']*'")
_SHELL = re.compile(r"[;&|<>$`\n]|^\w+=")
# The workers that read one kind of queue only.
_DEDICATED = re.compile(r"start\.\w+\.worker\.sh|sidekiq_\w+\.yml")


class Step(msgspec.Struct, frozen=True):
    """A command, which may have several lines: ``where`` is "host" for the deployment's folder there, or "here".

    ``why`` says what it does, "" where the command says it.
    """

    where: str
    command: str
    why: str = ""


class Commands:
    """Makes commands for one deployment; UsageError where its compose file has no API of Lago."""

    def __init__(self, deployment: Deployment, files: WrittenFiles):
        self._written = files
        services = services_of(self._written)
        words = ["docker", "compose", "-f", deployment.compose_file or files.compose_file]
        words += ["--env-file", deployment.env_file or files.env_file]
        self._compose = shlex.join(words)
        api = _of_role(services, API)
        if api is None:
            raise UsageError(
                f"{files.compose_file} has no service that runs Lago's API: give the deployment's compose file"
            )
        self._api = api
        self._db = _of_role(services, DB)
        self._writers = [shlex.quote(each.name) for each in services if each.role in (API, WORKER, CLOCK)]
        workers = [each for each in services if each.role == WORKER]
        main = [each for each in workers if not _DEDICATED.search(each.command)]
        self.workers = tuple(each.name for each in main or workers)

    def first(self, to: str) -> tuple[Step, ...]:
        """What to run before the first leg."""
        return (
            Step(
                "here",
                f"lago-acceptance upgrade-check {HOST} {to}",
                "what this database has, and what it lacks",
            ),
            Step("here", f"lago-acceptance rehearse {HOST} --to {to}", "the whole way on a copy of its data"),
        )

    def at_once(self) -> tuple[Step, ...]:
        """What walks the way on the host, with a dump before each leg."""
        walk = f"lago-acceptance deploy {HOST} DIR --via"
        return (
            Step("here", walk, "all stops; DIR has the files of the last step"),
            Step("here", f"{walk} next", "one stop, such as one a night"),
        )

    def each(self) -> tuple[Step, ...]:
        """What deploys one leg."""
        return (Step("here", f"lago-acceptance deploy {HOST} DIR", "with a dump, checks, and the way back"),)

    def by_hand(self) -> tuple[Step, ...]:
        """The same by hand."""
        dump = "before-VERSION.dump"
        inside = f"{self._compose} exec -T {shlex.quote(self._db.name)} " if self._db else ""
        return (
            Step("host", f"{self._compose} pull"),
            Step("host", f"{self._compose} stop {' '.join(self._writers)}", "Lago is down"),
            Step("host", f"(umask 077; {self._in_database('pg_dump')} -Fc > {dump})", "the only way back"),
            Step(
                "host",
                f"{inside}pg_restore -l < {dump} > /dev/null && echo readable",
                "whether it can be read",
            ),
            Step("host", f"{self._compose} up -d --wait", "migrates, then starts Lago"),
        )

    def task(self, task: Task) -> tuple[Step, ...]:
        """A task in a container of the API's image that is removed afterwards."""
        name = shlex.quote(self._api.name)
        if "entrypoint" in self._api.parts:
            run = f"--entrypoint bash {name} -c {shlex.quote(task.command)}"
        elif _SHELL.search(_QUOTED.sub("", task.command)):
            run = f"{name} bash -c {shlex.quote(task.command)}"
        else:
            run = f"{name} {task.command}"
        why = ["ends when its jobs are done"] * task.waits + ["never run it twice"] * task.once
        why += ["wait until its jobs are done before the next one"] * task.alone
        step = Step("host", f"{self._compose} run --rm --no-deps {run}", "; ".join(why))
        if task.each != "organization":
            return (step,)
        ids = f"{self._in_database('psql')} -Atc 'SELECT id FROM organizations'"
        return (
            Step("host", ids, "the ids of the organizations"),
            msgspec.structs.replace(
                step, why="; ".join(["once for each, with its id in place of ORGANIZATION_ID", *why])
            ),
        )

    def counts(self, proofs: tuple[Proof, ...]) -> tuple[Step, ...]:
        """What counts the rows for which proofs are not there yet."""
        found = []
        psql = self._in_database("psql")
        ordered = sorted(proofs, key=lambda each: each.undone)
        for undone, group in groupby(ordered, key=lambda each: each.undone):
            tables = list(dict.fromkeys(each.table for each in group))
            if len(tables) > _FEW:
                listed = _folded(tables)
                statement = f"SELECT '$table', count(*) FROM $table WHERE {undone};"
                loop = f'for table in \\\n{listed}\ndo echo "{statement}"; done | {psql} -At'
                found.append(Step("host", loop))
            else:
                found += [
                    Step("host", f"{psql} -Atc {shlex.quote(f'SELECT count(*) FROM {table} WHERE {undone}')}")
                    for table in tables
                ]
        return tuple(found)

    def last(self, to: str) -> tuple[Step, ...]:
        """What shows that the deployment bills at the end."""
        return (
            Step("here", f"lago-acceptance live {HOST}", f"with deployment.version {to} in settings.toml"),
        )

    def _in_database(self, program: str) -> str:
        """A client of PostgreSQL with the database's user and name; with DATABASE_URL where Compose doesn't run it.

        A name that the files at hand don't tell is its variable's.
        """
        if self._db is None:
            return f'{program} "$DATABASE_URL"'
        variables = variables_of(self._db, self._written)
        values = {
            name: variables[name].value or name
            for name in ("POSTGRES_USER", "POSTGRES_DB")
            if name in variables
        }
        user = values.get("POSTGRES_USER", "postgres")
        name = values.get("POSTGRES_DB", user)
        return f"{self._compose} exec -T {shlex.quote(self._db.name)} {program} -U {shlex.quote(user)} -d {shlex.quote(name)}"


def _of_role(services: tuple[WrittenService, ...], role: str) -> WrittenService | None:
    return next((each for each in services if each.role == role), None)


def _folded(words: list[str]) -> str:
    """Words of a shell's list in lines that fit, each but the last with a backslash."""
    lines = textwrap.wrap(" ".join(words), _WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    return " \\\n".join(f"  {line}" for line in lines)
