"""Takes a deployment from its old version to a new one, or back to the old one: never anywhere in between."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Self

from lago_acceptance.core import interrupts
from lago_acceptance.core import run as runs
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import API, DB
from lago_acceptance.core.secrets import excerpt
from lago_acceptance.core.settings import Deployment
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.deploy import filling, identity
from lago_acceptance.deploy.plan import Plan
from lago_acceptance.deploy.rollout_variables import answering, variables
from lago_acceptance.deploy.session import DISK_FULL, STATE, Outcome, Session, assignments
from lago_acceptance.deploy.steps import (
    ADOPT,
    AHEAD_MIGRATE,
    AHEAD_REST,
    AHEAD_WORK,
    DUMP,
    FILL,
    PULL,
    RETURN,
    STOP,
    UP,
    WORK,
    Step,
    at,
)
from lago_acceptance.deploy.wishes import Wishes
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.lago.upgrades import Stop
from lago_acceptance.targets.stack import startup

log = logging.getLogger(__name__)

# Places in the code, and what Rails prints behind them when a task fails.
_NO_CAUSE = re.compile(r"\s*(/|from |\d+: from |Caused by:|Tasks: |\(See full trace)")

RSA_KEY_CHANGED = "rsa-key-changed"
# A worker adds the jobs that it has finished to Redis' count every ten seconds.
COUNTED_SECONDS = 30


class NotDeployed(Exception):
    """A deploy did not come to be. The text says why, what runs now, and what was kept where; the first line is the cause."""


class Rollout:
    """One deploy, from the lock to its release. Leaving the context without ``accept`` undoes what was begun."""

    def __init__(
        self,
        host: Host,
        permit: Permit,
        deployment: Deployment,
        plan: Plan,
        facts: Facts,
        wishes: Wishes,
        steps: Sequence[Step],
        more: dict[str, str] | None = None,
        ahead: Sequence[Stop] = (),
    ):
        self.host, self.plan, self._facts, self._wishes, self._steps = host, plan, facts, wishes, steps
        self._ahead = ahead
        self.id = runs.new_id()
        self.folder = str(PurePosixPath(plan.directory, STATE, "deploys", self.id))
        given = variables(
            plan, facts, deployment, wishes, id=self.id, folder=self.folder, stops=STOP in steps
        )
        given["compose_program"] = host.compose_command
        self._session = Session(host, permit, plan.directory, self.id, given | (more or {}))
        self._begun = self._settled = False
        self._before: dict[str, str] = {}
        self._down: float | None = None
        self.downtime: float | None = None
        # What returning to a backup has done with the database.
        self.returned: tuple[str, ...] = ()
        # Whether anything was begun to be filled in.
        self.filled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the lock; what was begun and not accepted is undone first."""
        with interrupts.deferred():
            try:
                if self._begun and not self._settled:
                    self._undo("the deploy was interrupted")
            except NotDeployed as ended:
                log.info("%s", " ".join(str(ended).splitlines()))
            finally:
                self._session.close()

    # --- forward ---

    def run(self, expected: Mapping[str, str] | None = None) -> None:
        """Run the steps and wait until the new version is up. NotDeployed, with everything undone, where one fails.

        ``expected``: what the database must hold afterwards, by default what it holds before.
        """
        for path, content in sorted(self.plan.new.items()):
            self._session.put(path, content)
        if (done := self._session.ask("complete")).code:
            refused = "" if done.code == DISK_FULL else f"Compose on {self.host.name} refuses the new files: "
            raise NotDeployed(f"{refused}{done.last}. Nothing was changed.")
        self._begun = True
        for step in self._steps:
            if step is UP:
                self._work_ahead()
            self._take(step)
            if step is PULL:
                self._try_credentials()
            if step is DUMP:
                self._before = identity.parsed(self._ask("kept_identity").lines)
            if step in (UP, WORK):
                self._wait({*answering(self.plan)} if step is UP else None)
        if WORK in self._steps:
            self._compare(self._before if expected is None else expected)

    def _take(self, step: Step) -> None:
        log.info("%s", step.begins)
        if step is STOP:
            self._down = time.monotonic()
        done = self._requested(step, lambda: self._session.step(step))
        if done.code:
            reason = self._lost(answering(self.plan)) if step is UP else ""
            self._undo(f"{step.failed}: {'; '.join(filter(None, (reason, done.why(step.seconds))))}")
        if step is RETURN:
            self.returned = done.lines
        if step is ADOPT:
            for line in done.lines:
                log.info("%s", line)

    def _requested(self, step: Step, request: Callable[[], Outcome]) -> Outcome:
        try:
            return request()
        except Unreachable as error:
            self._settled = True
            raise NotDeployed(
                f"{step.failed}: {error}. A host that is still up rolls back to the old version by itself; see what is running with: "
                f"lago-acceptance status {self._named}"
            ) from error

    def fill(self) -> filling.Result:
        """Fill in what the release that runs now needs, and wait until that is proved (filling.settings are among ``more``)."""
        step = FILL
        self._begun = True
        self.filled = True
        log.info("%s", step.begins)

        def filled() -> Outcome:
            begun = self._session.step(step)
            return filling.complete(begun, lambda: self._session.ask("fill", step.seconds), log.info)

        done = self._requested(step, filled)
        if done.code:
            self._undo(f"{step.failed}: {done.why(step.seconds)}")
        return filling.result(done)

    def _work_ahead(self) -> None:
        """Do the work of stops whose images can't be had with the new version's image, while Lago is down."""
        for stop in self._ahead:
            given = filling.settings(stop, worker="ahead_worker") | filling.ahead(stop)
            self._session.give("leg", assignments(given).encode())
            self._take(at(AHEAD_MIGRATE, stop.tag))
            self._take(at(AHEAD_WORK, stop.tag))
            log.info("%s: %s", stop.tag, filling.described(self.fill()))
            self._take(at(AHEAD_REST, stop.tag))
        if self._ahead:
            self._session.give("leg", b"")

    def take(self, step: Step) -> None:
        """Run one more step after the others. NotDeployed, with everything undone, where it fails."""
        self._begun = True
        self._take(step)

    def _lost(self, services: Collection[str]) -> str:
        """Why some services can't come up, with what their containers printed last; "" where nothing is known."""
        seen = [
            each
            for each in startup.progress(self.host, self.plan.project)
            if each[0].service.name in services and not startup.ready(each[0])
        ]
        # What this deploy has stopped, and not started again, is a cause only where nothing else is.
        before = {(each.id, each.started_at) for each in self._facts.containers}
        begun = [each for each in seen if (each[0].id, each[0].started_at) not in before]
        return "; ".join(_reasons(begun) or _reasons(seen))

    def _try_credentials(self) -> None:
        """The new database password on the running database, the new RSA key in the new image."""
        if self._running_database and (refused := self._asked("password")).code:
            self._undo(
                f"the new version could not log in to the database: {refused.last}. PostgreSQL keeps the password of its "
                "volume: put the old POSTGRES_PASSWORD back, or change it in the database first (ALTER USER)"
            )
        loaded = self._asked("key", 180)
        if loaded.code and "is empty" not in loaded.last:
            self._undo(f"the new version can't load its RSA key: {loaded.last}")
        self._same_key(loaded.last.removeprefix("key ") if not loaded.code else "")
        space = self._ask("space").lines if self._running_database else ()
        if len(space) == 2 and int(space[0]) > int(space[1]):
            need, free = (int(each) // 2**20 for each in space)
            self._undo(
                f"the disk is too full for a dump: it may need {need} MiB, and {free} MiB are free for {self.folder}; "
                "free some space (docker image prune), or move old backups away"
            )

    def _same_key(self, new: str) -> None:
        api = self._facts.running(API)
        old = self._facts.process(api).key
        if new and old and old.public and old.public != new and RSA_KEY_CHANGED not in self._wishes.despite:
            self._undo(
                f"the new RSA key is not the one in use (public half {new[:12]}… instead of {old.public[:12]}…): webhook receivers would "
                f"reject what it signs; put the old key back, or send them the new public half and add --despite {RSA_KEY_CHANGED}"
            )

    def _wait(self, services: set[str] | None) -> None:
        """Wait until services are up, None for all of the new version; go back where one can't come up."""
        names = services if services is not None else {each.name for each in self.plan.model.services}
        missing: list[str] = []

        def settled() -> bool:
            seen = [
                each
                for each in startup.progress(self.host, self.plan.project)
                if each[0].service.name in names
            ]
            up = {container.service.name for container, _ in seen if startup.ready(container)}
            missing[:] = sorted({container.service.name for container, _ in seen} - up)
            return not missing or bool(startup.lost(seen))

        until(settled, self._wishes.up_seconds)
        if missing:
            late = f"{', '.join(missing)} not ready within {self._wishes.up_seconds} s"
            self._undo(f"the new version did not come up: {self._lost(names) or late}")
        if services is not None and self._down is not None:
            self.downtime = time.monotonic() - self._down
            log.info("up again; the API was down for %.1f s", self.downtime)

    def _compare(self, expected: Mapping[str, str]) -> None:
        problems: list[str] = []

        def agrees() -> bool:
            problems[:] = self._losses(expected)
            return not problems

        if not until(agrees, COUNTED_SECONDS):
            self._undo(f"the new version runs, but {'; '.join(problems)}")

    def _losses(self, expected: Mapping[str, str]) -> Iterator[str]:
        """What the deployment should have and lacks."""
        if not expected:
            return
        now = self._asked("identity")
        yield from identity.lost(expected, {} if now.code else identity.parsed(now.lines))
        keys = self._asked("old_keys")
        every, good = ([*keys.last.split(), "0", "0"])[:2]
        if keys.code or every != good:
            yield (
                f"of {every} API keys that were valid before, the API accepts {good}"
                if not keys.code
                else (f"it is not known whether the old API keys are still accepted: {keys.last}")
            )

    def left_volumes(self) -> tuple[str, ...]:
        """Volumes of the project that are there although it was removed with the volumes of its files."""
        return self._ask("left_volumes").lines

    def accept(self) -> None:
        """Keep the new version. Of earlier backups the last KEPT_BACKUPS stay."""
        self._session.accept()
        self._settled = True

    # --- back ---

    def undo(self, cause: str) -> None:
        """Go back to the old version because of ``cause``. Raises NotDeployed, which says what runs now."""
        self._undo(cause)

    def _undo(self, cause: str) -> None:
        self._settled = True
        log.info("rolling back to the old version: %s", cause)
        with interrupts.deferred():
            done = self._session.undo()
            lines = [f"{cause}."] if not cause.endswith(".") else [cause]
            if done.code:
                lines += [
                    f"Rolling back failed too: {' '.join(done.lines)}",
                    f"Try again with: lago-acceptance rollback {self._named}. The backup is in {self.folder}/backup.",
                ]
            else:
                lines += self._what_runs(done)
        raise NotDeployed("\n".join(lines))

    def _what_runs(self, done: Outcome) -> Iterator[str]:
        if not self._before:
            untouched = "" if self.filled else "; its data was not touched"
            yield f"The old version is still running{untouched}."
        else:
            now = identity.parsed(self._session.ask("identity").lines)
            missing = list(identity.lost(self._before, now))
            yield (
                f"The old version is running again, but {'; '.join(missing)}."
                if missing
                else "The old version is running again, with all of its data and jobs."
            )
        yield from done.lines
        yield f"What was kept is in {self.folder}/backup; the log of the deploy is {self.folder}/log."

    # --- questions ---

    @property
    def _named(self) -> str:
        return "local" if isinstance(self.host, LocalHost) else f"ssh://{self.host.name}"

    @property
    def _running_database(self) -> bool:
        return self._facts.running(DB) is not None

    def _asked(self, question: str, seconds: float = 120) -> Outcome:
        """The outcome of a question. On a full disk an answer can't be written, so it is no cause."""
        done = self._session.ask(question, seconds)
        if done.code == DISK_FULL:
            self._undo(done.last)
        return done

    def _ask(self, question: str) -> Outcome:
        done = self._asked(question)
        if done.code:
            self._undo(f"{question.replace('_', ' ')} could not be read: {done.last}")
        return done


def _reasons(seen: startup.Seen) -> list[str]:
    reasons = startup.lost(seen)
    found = []
    for container, lines in seen:
        name = container.service.name
        said = excerpt(_telling(lines), 200)
        if reason := reasons.get(name, f"{name} said" if said else ""):
            found.append(f"{reason}{': ' if said else ''}{said}")
    return found


def _telling(lines: list[str]) -> str:
    """The line of a log's end that says most: what PostgreSQL refused, else the last one in words, "" where none is."""
    words = [line for line in lines if line.strip() and not _NO_CAUSE.match(line)]
    return next((line for line in words if "PG::" in line), words[-1] if words else "")
