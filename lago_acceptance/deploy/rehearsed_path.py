"""An upgrade that is rehearsed: a dump restored beside production, and walked from release to release up to another one.

Each leg runs the migrations of its release, then its tasks, whose jobs a worker of that release runs. In the end data, API
answers and billing are compared with what they were before. shell/walk.part.sh does it on the host.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import msgspec

from lago_acceptance.core.roles import API
from lago_acceptance.core.settings import Schema
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy import answers_compared, filling, identity, totals
from lago_acceptance.deploy.billing_round import billed
from lago_acceptance.deploy.dumped_release import release_of
from lago_acceptance.deploy.rehearsal import (
    PULL_SECONDS,
    RESTORE,
    NotRestored,
    Rehearsal,
    described,
    different,
)
from lago_acceptance.deploy.rehearsal_checks import Verdict, judged
from lago_acceptance.deploy.rehearsal_report import LegReport, Report, described_leg, lines, locks
from lago_acceptance.deploy.room import GIB, lack
from lago_acceptance.deploy.session import Outcome, Session, assignments
from lago_acceptance.deploy.steps import FILL, Step, at
from lago_acceptance.deploy.totals import Totals
from lago_acceptance.facts.types import Facts
from lago_acceptance.lago import answer_changes
from lago_acceptance.lago.release_table import Release, same_schema
from lago_acceptance.lago.upgrade_path import legs
from lago_acceptance.lago.upgrades import FOLDED_IN, Leg

BEFORE = Step(
    "walk_before",
    "asking the API of {0} about old customers, before the upgrade",
    "the API of {0} does not start on the restored database",
    600,
)
WALK_MIGRATE = Step(
    "walk_migrate",
    "migrating the restored database to {0}",
    "the restored database could not be migrated to {0}",
    3 * 3600,
)
WORK = Step("walk_work", "starting a worker of {0}", "the worker of {0} does not start", 180)
UP = Step(
    "walk_up", "starting API and worker of {0} on it", "API and worker of {0} could not be started", 180
)
READY = Step("walk_ready", "waiting for both to answer", "{0} does not start on the migrated database", 420)
REST = Step("walk_rest", "ending the worker of {0}", "the worker of {0} could not be ended", 60)
# API, worker and database at a time.
LEAST_MEMORY = 2 * GIB
# How many times as large as the database what is written becomes: indexes and tables are written once more.
GROWTH = 3
# What shell/walk.part.sh calls the one address that must be reached, for else nothing has been tried.
INSIDE = "the database of the rehearsal!"
NOT_RUN = (
    "what a rehearsal doesn't run: clock, what waits in production's Redis, PDFs, the web UI, the gateway, "
    "proxy and certificates, delivery of webhooks and e-mail, payment providers, features that need a license"
)


class Way(msgspec.Struct):
    """The way that is walked, once the dump's schema is known: its releases, the image of each tag, what was restored, and how many
    migrations have run by now. ``replaced`` maps the tag of a stop whose image can't be had to the one whose image does its work.
    """

    had: Release | None = None
    legs: tuple[Leg, ...] = ()
    images: dict[str, str] = {}
    replaced: dict[str, str] = {}
    held: dict[str, str] = {}
    migrations: int = 0


class RehearsedPath(Rehearsal, frozen=True, kw_only=True):
    """A rehearsal of the upgrade to ``to``. ``running`` is the tag of the API's image, "" if it has none; ``image_of`` maps tags
    to images. ``report`` is complete once ``run`` has returned.
    """

    to: Release
    running: str
    image_of: Callable[[Sequence[str]], Mapping[str, str]]
    report: Report
    way: Way = msgspec.field(default_factory=Way)

    def run(self) -> list[str]:
        """Rehearse, and remove all of it again. What is wrong, the cause first; [] if the upgrade arrives."""
        began = time.monotonic()
        self.report.problems = super().run()
        self.report.seconds = round(time.monotonic() - began, 1)
        self.report.accepted = not self.report.problems
        for line in lines(self.report):
            self.say(line)
        return self.report.problems

    # --- before ---

    def _lack(self, dump: int, free: int, memory: int) -> str:
        return lack(dump, int(self.identity.get("size", 0)), free, memory, GROWTH, LEAST_MEMORY)

    def _find_way(self, session: Session, migrations: list[str]) -> None:
        """Find the way from the dump's release, and get the images of all its legs."""
        way, report = self.way, self.report
        way.had = release_of(migrations, self.running)
        way.legs = legs(way.had, self.to)
        report.had, report.to = way.had.tag, self.to.tag
        if not way.legs:
            raise UsageError(
                f"the dump is of {way.had.tag} already, which has the schema of {self.to.tag}: there is nothing to walk"
            )
        tags = [way.had.tag, *(leg.tag for leg in way.legs)]
        way.images = dict(self.image_of(tags))
        session.give("images", "".join(f"{each}\n" for each in dict.fromkeys(way.images.values())).encode())
        self._replace_missing(session.ask("images", PULL_SECONDS * len(way.images)))
        self.say(
            f"the dump is of {way.had.tag}, by its migrations; the way: {', '.join(map(described_leg, way.legs))}"
        )

    def _replace_missing(self, asked: Outcome) -> None:
        """Let a later image on the way do the work of a stop whose own can't be had. Unreachable where none can."""
        way = self.way
        missing = dict(line.split("\t", 1) for line in asked.lines if "\t" in line)
        there = [leg for leg in way.legs if way.images[leg.tag] not in missing]
        for leg in way.legs:
            if leg not in there and leg.stop:
                instead = next((each for each in there if leg.stop.done_by(each.release)), None)
                if instead:
                    missing.pop(way.images[leg.tag], None)
                    way.images[leg.tag], way.replaced[leg.tag] = way.images[instead.tag], instead.tag
        if asked.code or missing:
            said = "; ".join(f"{image} ({why})" for image, why in missing.items()) or asked.last
            raise Unreachable(
                f"an image on the way is not on {self.host.name} and can't be pulled: {said}; nothing was started"
            )
        for tag, by in way.replaced.items():
            self.say(
                f"warning: the image of {tag} can't be pulled, so {by}'s takes its place, migrates no further than {tag}, and "
                f"fills in {tag}'s data"
            )

    # --- the steps ---

    def _steps(self, session: Session) -> Iterator[str]:
        had, report = self.way.had, self.report
        assert had is not None
        restored, report.restore_seconds = self._timed(session, RESTORE)
        before = self._held(restored)
        self.say(f"restored: {described(before)}")
        if self.identity:
            yield from different(self.identity, before)
        self.way.held, self.way.migrations = before, identity.number(before, "migrations")
        report.before = self._totals(session, before)
        self._leg(session, had.tag)
        asked, _ = self._timed(session, at(BEFORE, had.tag))
        report.sampled_customers = int(self._held(asked).get("customers", 0))
        if not report.sampled_customers:
            report.not_judged.append("answers about old customers, because the dump holds none")
            self.say(f"not judged: {report.not_judged[-1]}")
        self._judge_outside(session.ask("outside"))
        for leg in self.way.legs:
            yield from self._walk(session, leg)
        self._take(session, at(UP, self.to.tag))
        yield from self._compare_totals(session)
        self._take(session, at(READY, self.to.tag))

    def _walk(self, session: Session, leg: Leg) -> Iterator[str]:
        """Migrations, tasks and proofs of one leg."""
        assert self.way.had is not None
        leg_report = LegReport(tag=leg.tag, image=self.way.images[leg.tag])
        self.report.legs.append(leg_report)
        self._leg(session, leg.tag, leg)
        if leg.release.newest_migration != self.way.had.newest_migration:
            try:
                done, leg_report.migrate_seconds = self._timed(session, at(WALK_MIGRATE, leg.tag))
            finally:
                leg_report.locks = locks(session.ask("locks").lines)
            held = self._held(done)
            before, self.way.migrations = self.way.migrations, identity.number(held, "migrations")
            leg_report.migrations = self.way.migrations - before
            self.say(
                f"{leg_report.migrations} new migrations, the latest is {held.get('latest_migration', 'unknown')}"
            )
            if held.get("latest_migration") != leg.release.newest_migration:
                yield (
                    f"the image {leg_report.image} ends with the migration {held.get('latest_migration', 'unknown')}, and {leg.tag} with "
                    f"{leg.release.newest_migration}: it is another release"
                )
        if leg.stop is None:
            return
        self._take(session, at(WORK, leg.tag))
        self.say(f"filling in {leg.stop.data}")
        filled = filling.result(self._filled(session, leg))
        leg_report.fill_seconds, leg_report.rows, leg_report.filled = (
            filled.seconds,
            filled.rows,
            filled.proofs,
        )
        self.say(filling.described(filled))
        if leg is not self.way.legs[-1]:
            self._take(session, at(REST, leg.tag))

    def _leg(self, session: Session, tag: str, leg: Leg | None = None) -> None:
        """Let the next steps be of one release."""
        stop = leg.stop if leg else None
        given = {
            "lago_image": self.way.images[tag],
            **filling.settings(stop, "in_rehearsed_release", "rehearsed_worker"),
        }
        given["migrate_to"] = leg.release.newest_migration if leg and tag in self.way.replaced else ""
        session.give("leg", assignments(given).encode())

    def _filled(self, session: Session, leg: Leg) -> Outcome:
        done = filling.complete(session.step(FILL), lambda: session.ask("fill", FILL.seconds), self.say)
        if done.code:
            raise NotRestored(f"at {leg.tag}, {FILL.failed}: {done.why(FILL.seconds)}")
        return done

    def _timed(self, session: Session, step: Step) -> tuple[Outcome, float]:
        began = time.monotonic()
        return self._take(session, step), round(time.monotonic() - began, 1)

    def _late(self, session: Session, step: Step) -> str:
        return session.ask("waits").last if step.name == WALK_MIGRATE.name else ""

    # --- the upgraded Lago ---

    def _compare_totals(self, session: Session) -> Iterator[str]:
        """What is no longer as it was, before anything is billed."""
        report, held = self.report, self._held(session.ask("identity"))
        report.after = self._totals(session, held)
        dropped = totals.dropped(report.before, self.way.held, held)
        report.explained += totals.explained(report.before, report.after, dropped)
        yield from totals.problems(report.before, report.after, dropped)

    def _judge(self, session: Session, facts: Facts) -> Iterator[str]:
        report = self.report
        self.say("billing a customer in an organization of its own")
        # It waits for the worker most of the time, and changes nothing of what is looked at meanwhile.
        with ThreadPoolExecutor(1) as pool:
            billing = pool.submit(billed, self.host, session, facts.running(API), self.permit, session.id)
            yield from super()._judge(session, facts)
            yield from self._compared(session)
        report.billing = billing.result()
        yield from report.billing.problems
        report.webhooks_made = self._totals(session, {}).webhooks - report.before.webhooks

    def _compared(self, session: Session) -> Iterator[str]:
        """What the API answers about old customers otherwise than before."""
        assert self.way.had is not None
        asked = session.ask("answers", BEFORE.seconds)
        if asked.code:
            yield f"after the upgrade {asked.last}"
            return
        found = session.ask("compared").lines
        self.report.answers = answers_compared.compared(found, answer_changes.between(self.way.had, self.to))
        yield from answers_compared.problems(self.report.answers)

    def _judge_outside(self, asked: Outcome) -> None:
        """Production, this host and the internet must be out of reach of every container, before one works on jobs."""
        rows = [line.split("\t") for line in asked.lines if line.count("\t") == 1]
        if asked.code or ["reached", INSIDE] not in rows:
            raise NotRestored(
                f"whether the rehearsal reaches anything outside could not be tried: {asked.last}"
            )
        if reached := [what for how, what in rows if how == "reached" and what != INSIDE]:
            raise NotRestored(
                f"the rehearsal reaches {', '.join(reached)}; it was ended before any worker was started"
            )
        self.report.tried_outside = [what for _, what in rows if what != INSIDE]

    def _settings(self, id: str) -> dict[str, str]:
        folder = files(__package__) / "ruby"
        programs = {
            f"ruby_{name}": (folder / f"{name}.rb").read_text("utf-8") for name in ("answers", "outside")
        }
        return {**super()._settings(id), **programs, "worker_services": "lago-worker"}

    def _judged(self, facts: Facts) -> Verdict:
        to = same_schema(self.to)
        expected = msgspec.structs.replace(
            self.settings,
            deployment=msgspec.structs.replace(self.settings.deployment, version=to.tag),
            schema={to.tag: Schema(to.migrations, to.newest_migration)},
        )
        verdict = judged(facts, expected, folded=to.numbers >= FOLDED_IN)
        self.report.warnings += verdict.warnings
        self.report.not_judged += [*verdict.unknown, NOT_RUN]
        return verdict

    def _not_judged(self) -> str:
        return f"not judged: {NOT_RUN}"

    # --- numbers ---

    def _totals(self, session: Session, held: Mapping[str, str]) -> Totals:
        asked = session.ask("sums", 300)
        if asked.code:
            raise NotRestored(f"amounts could not be added up: {asked.last}")
        return totals.totals(held, asked.lines)
