"""A restore that is rehearsed: a dump in a PostgreSQL of its own, migrated, and read by an API that nobody else can reach.

What runs in production is not touched: the rehearsal has its own volume, its own network without a way out, no published
port, no worker and no clock. shell/rehearse.part.sh does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import msgspec

from lago_acceptance.core import interrupts
from lago_acceptance.core import run as runs
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy import identity
from lago_acceptance.deploy.dumped_release import release_of, tag_in
from lago_acceptance.deploy.rehearsal_checks import Verdict, judged
from lago_acceptance.deploy.rehearsal_source import Source
from lago_acceptance.deploy.room import MIB, lack
from lago_acceptance.deploy.session import Outcome, Session, holder
from lago_acceptance.deploy.steps import Step
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host, WriteCommand
from lago_acceptance.lago.release_table import same_schema
from lago_acceptance.lago.upgrade_path import named
from lago_acceptance.lago.upgrades import skipped

RESTORE = Step("rehearse_restore", "restoring the dump", "the dump could not be restored", 3600)
MIGRATE = Step(
    "rehearse_migrate", "migrating the restored database", "the restored database could not be migrated", 3600
)
START = Step(
    "rehearse_start", "starting the API on it", "the API does not start on the restored database", 300
)
STEPS = (RESTORE, MIGRATE, START)
PROJECT = "lago-acceptance-rehearsal-"
OLD_DAYS = 7
PULL_SECONDS = 1800
NOT_JUDGED = (
    "not judged, because a rehearsal doesn't run them: workers and clock, jobs in Redis, PDFs, the web UI, the gateway, "
    "proxy and certificates, webhooks, e-mail and payment providers"
)

Say = Callable[[str], None]


class NotRestored(Exception):
    """The dump can't be restored, or what was restored can't be used. The first line is the cause."""


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """One rehearsal on ``host``. ``directory`` is where its state lies meanwhile, ``dump`` a path on the host;
    ``identity`` is what the dump must hold, by identity.py's names, {} if nobody has counted.
    """

    host: Host
    permit: Permit
    settings: Settings
    directory: str
    dump: str
    source: Source
    identity: dict[str, str] = {}
    say: Say

    def run(self) -> list[str]:
        """Rehearse, and remove all of it again. What is wrong, the cause first; [] if the dump is accepted.

        UsageError where the dump can't be rehearsed that way. Unreachable where this machine or the host lacks something. Locked while somebody deploys.
        """
        id = runs.new_id()
        session = Session(self.host, self.permit, self.directory, id, self._settings(id))
        problems: list[str] = []
        try:
            before = session.ask("production").lines
            self._look(session)
            problems += self._steps(session)
            problems += self._judge(session, observe(self.host, project=f"{PROJECT}{id}"))
        except NotRestored as error:
            problems.insert(0, str(error))
        finally:
            with interrupts.deferred(), suppress(Unreachable):
                undone = session.undo()
                after = session.ask("production").lines
                session.close()
                self._remove(session.folder)
        if undone.code:
            problems.append(f"the rehearsal left something behind: {' '.join(undone.lines)}")
        if changed := sorted({line.split()[0] for line in set(before) ^ set(after) if line.split()}):
            problems.append(f"{', '.join(changed)} of production stopped or was restarted meanwhile")
        return problems

    # --- before ---

    def _look(self, session: Session) -> None:
        """Judge dump and host before anything is started."""
        about = session.ask("dump", 300)
        if about.code:
            raise NotRestored(f"{self.dump}: {about.last}")
        found = identity.parsed(about.lines)
        size, days = int(found["size"]), int(found["age"]) // 86_400
        self.say(
            f"the dump: {found.get('name', '?')} of PostgreSQL {found.get('version', '?')}, made {found.get('made', '?')}, "
            f"{size / MIB:.1f} MiB"
        )
        if days >= OLD_DAYS:
            self.say(f"warning: the dump is {days} days old; what was billed since is not in it")
        room = session.ask("room")
        if room.code:
            raise Unreachable(f"free space and memory of {self.host.name} can't be read: {room.last}")
        free, memory = map(int, room.last.split())
        problem = self._lack(size, free, memory)
        if problem:
            raise Unreachable(f"{problem} on {self.host.name}; nothing was started")
        image = session.ask("image", PULL_SECONDS)
        if image.code:
            raise Unreachable(
                f"the image {self.source.lago_image} is not on {self.host.name} and can't be pulled: {image.last}"
            )

        self._look_at_schema(session, found.get("version", ""))

    def _lack(self, dump: int, free: int, memory: int) -> str:
        return lack(dump, int(self.identity.get("size", 0)), free, memory)

    def _look_at_schema(self, session: Session, version: str) -> None:
        """Refuse a dump of a newer PostgreSQL, and what ``_find_way`` refuses."""
        schema = session.ask("schema", 900)
        if schema.code:
            raise NotRestored(f"{self.dump}: {schema.last}")
        rows = [line.split("\t") for line in schema.lines]
        migrations = [row[1] for row in rows if row[0] == "migration"]
        server = next((row[1] for row in rows if row[0] == "server"), "")
        older, newer = (text.partition(".")[0] for text in (server, version))
        comparable = older.isdigit() and newer.isdigit()
        if comparable and int(older) < int(newer):
            raise NotRestored(
                f"the dump is of PostgreSQL {version}, and {self.source.db_image} is {server}: an older one can't restore it, so "
                f"rehearse with PostgreSQL {newer} or newer"
            )
        if comparable and older != newer:
            self.say(f"warning: the dump is of PostgreSQL {version}, and is restored into {server}")
        self._find_way(session, migrations)

    def _find_way(self, session: Session, migrations: list[str]) -> None:
        """Refuse one step over a stop. What release a schema or an image is may be unknown here."""
        tag = tag_in(self.source.lago_reference)
        try:
            old, new = release_of(migrations), named(tag)
        except UsageError:
            return
        if between := skipped(old.numbers, same_schema(new).numbers):
            raise UsageError(
                f"the dump is of {old.tag}, and from there {new.tag} can't be reached in one step: data has to be filled in at "
                f"{', '.join(each.tag for each in between)} before; to walk that path, run it with --to {new.tag}"
            )

    # --- the steps ---

    def _steps(self, session: Session) -> Iterator[str]:
        restored = self._held(self._take(session, RESTORE))
        self.say(f"restored: {described(restored)}")
        if self.identity:
            yield from different(self.identity, restored)
        else:
            self.say("there is no count of what the dump should hold, so there is nothing to compare it with")
        migrated = self._held(self._take(session, MIGRATE))
        new = identity.number(migrated, "migrations") - identity.number(restored, "migrations")
        self.say(
            f"migrated: {new} new migrations, the latest is {migrated.get('latest_migration', 'unknown')}"
        )
        for loss in identity.lost(rows(restored), rows(migrated)):
            yield f"the migration loses data: {loss}"
        self._take(session, START)

    def _take(self, session: Session, step: Step) -> Outcome:
        self.say(step.begins)
        done = session.step(step)
        if done.code in (124, 137):
            raise NotRestored(
                "; ".join(
                    filter(None, (f"{step.failed} within {step.seconds:.0f} s", self._late(session, step)))
                )
            )
        if done.code:
            said = [line for line in done.lines if line.strip()]
            raise NotRestored("\n".join([f"{step.failed}: {done.last}", *said[:-1]]))
        return done

    def _late(self, session: Session, step: Step) -> str:
        """Why a step has not ended in time, "" where it isn't known."""
        return ""

    @staticmethod
    def _held(done: Outcome) -> dict[str, str]:
        return identity.parsed(done.lines)

    # --- the restored Lago ---

    def _judge(self, session: Session, facts: Facts) -> Iterator[str]:
        """What is wrong with the Lago that runs on the restored data."""
        yield from self._questions(session)
        yield from self._observed(facts)

    def _questions(self, session: Session) -> Iterator[str]:
        pages = session.ask("pages", 600)
        if pages.code:
            yield pages.last
            return
        for page, status, counted, held in (line.split("\t") for line in pages.lines if "\t" in line):
            if status != "200":
                yield f"GET /api/v1/{page} answers {status if status != '000' else 'nothing'} on the restored data"
            elif held and counted != held:
                yield f"the API lists {counted or 'no number of'} {page}, the restored database holds {held}"
        self.say("asked the API for organizations, customers, plans, subscriptions, invoices")

    def _observed(self, facts: Facts) -> Iterator[str]:
        verdict = self._judged(facts)
        for warning in verdict.warnings:
            self.say(f"warning: {warning}")
        self.say(f"{verdict.judged} checks of database, schema, key and API were made")
        for reason in verdict.unknown:
            self.say(f"not judged: {reason}")
        self.say(self._not_judged())
        yield from verdict.errors

    def _judged(self, facts: Facts) -> Verdict:
        return judged(facts, self.settings)

    def _not_judged(self) -> str:
        return NOT_JUDGED

    # --- what the host's program is given ---

    def _settings(self, id: str) -> dict[str, str]:
        given = msgspec.structs.asdict(self.source)
        given["lago_environment"], given["lago_mounts"] = given.pop("environment"), given.pop("mounts")
        return {
            **given,
            "deploy_id": id,
            "who": holder("rehearsal", id),
            "directory": self.directory,
            "project": f"{PROJECT}{id}",
            "dump": self.dump,
            "database": "lago",
            "compose_program": self.host.compose_command,
            "undo_seconds": "300",
            "api_service": "lago-api",
            "db_service": "lago-db",
            "redis_service": "lago-redis",
            "worker_services": "",
        }

    def _remove(self, folder: str) -> None:
        """Of a rehearsal nothing stays, its notes included."""
        self.host.change(
            WriteCommand("removing the rehearsal", ("rm", "-rf", folder), deadline=60), self.permit
        )


# --- numbers ---


def rows(values: Mapping[str, str]) -> dict[str, str]:
    """The counts of rows alone: a restored cluster is another one, and its Redis is empty."""
    return {name: values[name] for name in identity.COUNTED if name in values}


def described(values: Mapping[str, str]) -> str:
    """Such as "1 organizations, 20 customers; 16 migrations, the latest 20241119110219"."""
    counts = ", ".join(f"{count} {name}" for name, count in rows(values).items())
    return (
        f"{counts or 'no table of Lago'}; {values.get('migrations', 'no')} migrations, "
        f"the latest {values.get('latest_migration', 'unknown')}"
    )


def different(expected: Mapping[str, str], restored: Mapping[str, str]) -> Iterator[str]:
    """What a restored database holds otherwise than was counted when it was dumped."""
    for name in (*identity.COUNTED, "migrations", "latest_migration"):
        if name in expected and expected[name] != restored.get(name, "0"):
            yield (
                f"the dump does not hold what was there when it was made: {name} {expected[name]}, restored "
                f"{restored.get(name, '0')}"
            )
