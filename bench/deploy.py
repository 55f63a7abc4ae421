"""Deploys on a host by ssh on loopback: what they cost beside doing the same by hand, and what they lose."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from bench._measuring import DEADLINE, line, machine, seconds
from lago_acceptance.cli.deploy import DECIDING
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.settings import load
from lago_acceptance.core.waivers import WaiverFile
from lago_acceptance.deploy import deploy
from lago_acceptance.deploy.rollout import Rollout
from lago_acceptance.deploy.session import Outcome, Session
from lago_acceptance.deploy.steps import DUMP, Step
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from tests.support import suite_run
from tests.support.deploy import command, host, stream
from tests.support.deploy.host import DeployableHost

ROUNDS, DEPLOYS, EVENTS, JOBS = 3, 20, 10**6, 5


class Bench:
    """A host that is up, and a checkout to deploy from."""

    def __init__(self, lago: DeployableHost, folder: Path):
        self.lago, self.folder = lago, folder
        self.checkout = lago.copy(folder / "checkout")
        self.settings = load(lago.settings)
        self.ssh = SshHost(parse(lago.url), lago.live.server.ssh_config)
        self.steps: dict[str, float] = {}

    def change(self) -> None:
        """Change a variable for which API, workers and clock are recreated."""
        value = str(time.monotonic_ns())

        def edit(document: dict, _: dict) -> None:
            for service in document["services"].values():
                if "DATABASE_URL" in (service.get("environment") or {}):
                    service["environment"]["LAGO_ACCEPTANCE_BENCH"] = value

        host.edit(self.checkout, edit)

    def rollout(self) -> Rollout:
        """Deploy the checkout and keep it."""
        # What is done by hand beside it has changed files on the host too.
        order = deploy.Order(folder=self.checkout, settings_file=self.lago.settings, overwrite=True)
        waivers = WaiverFile()
        done = deploy.start(self.ssh, Permit("bench"), self.settings, waivers, order)
        if done is None:
            raise SystemExit("nothing was deployed, although a variable has changed")
        done.accept()
        done.close()
        return done

    @contextmanager
    def timed_steps(self) -> Iterator[None]:
        """Keep the seconds of each step."""
        whole = Session.step

        def step(session: Session, asked: Step) -> Outcome:
            started = time.monotonic()
            try:
                return whole(session, asked)
            finally:
                self.steps[asked.name] = time.monotonic() - started

        with patch.object(Session, "step", step):
            yield

    def bare_dump(self) -> float:
        """Seconds of a bare pg_dump into a file."""
        dump = [
            "docker",
            "exec",
            self.lago.container("lago-db"),
            "pg_dump",
            "-Fc",
            "-U",
            "lago",
            "-d",
            "lago",
        ]
        started = time.monotonic()
        with (self.folder / "bare.dump").open("wb") as file:
            subprocess.run(dump, stdout=file, check=True, timeout=DEADLINE)
        return time.monotonic() - started


def main(folder: Path) -> None:
    """Print each promised number beside what was measured."""
    machine()
    lago = host.bring_up(folder / "host")
    try:
        bench = Bench(lago, folder)
        for part in parts():
            PARTS[part](bench)
        bench.ssh.close()
    finally:
        lago.down()


def no_change(bench: Bench) -> None:
    """A deploy that changes nothing, beside its checks alone."""
    before = bench.lago.container_ids()

    def deployed() -> None:
        ended = command.deploy(bench.lago, bench.checkout)
        if ended.code:
            raise SystemExit(f"a deploy that changes nothing failed:\n{ended.output[-2000:]}")

    def checks() -> None:
        suite_run.run(bench.folder / "reports", "-m", DECIDING, *bench.lago.options)

    whole, alone = seconds(deployed, checks, rounds=ROUNDS)
    line("a deploy that changes nothing, beyond its checks", f"{whole - alone:.1f} s", "at most 5 s")
    after = bench.lago.container_ids()
    line("containers that it recreated", str(sum(after[name] != before[name] for name in before)), "0")


def downtime(bench: Bench) -> None:
    """How long the API is down, beside a dump and Compose's own ``up`` of the same change."""

    def by_engine() -> float:
        bench.change()
        return bench.rollout().downtime or 0.0

    def by_hand() -> float:
        bench.change()
        host.copy_files(bench.checkout, bench.lago.folder)
        taken = bench.bare_dump()
        started = time.monotonic()
        bench.lago.up()
        return taken + time.monotonic() - started

    by_hand()
    mine, theirs = (sorted(each() for _ in range(ROUNDS))[ROUNDS // 2] for each in (by_engine, by_hand))
    line("the API is down, in a deploy", f"{mine:.1f} s")
    line("a dump and Compose's own recreating", f"{theirs:.1f} s")
    line("the first against the second", f"{mine / theirs:.2f}", "at most 1.1")


def under_load(bench: Bench) -> None:
    """Deploys while events come and jobs wait."""
    subscription = bench.lago.put_data()
    waiting = [f"bench-{number}" for number in range(JOBS)]
    for job in waiting:
        bench.lago.redis(
            "ZADD", "schedule", str(int(time.time()) + 10**7), f'{{"jid":"{job}","class":"Bench"}}'
        )
    dead = bench.lago.redis("ZCARD", "dead")
    with stream.flowing(bench.lago, subscription) as sent:
        for _ in range(DEPLOYS):
            bench.change()
            bench.rollout()
    lost = set(sent.accepted) - stream.events_counted(bench.lago)
    held = bench.lago.redis("ZRANGE", "schedule", "0", "-1")
    died = int(bench.lago.redis("ZCARD", "dead")) - int(dead)
    line(f"events sent during {DEPLOYS} deploys, accepted", str(len(sent.accepted)))
    line("longest time without an accepted event", f"{sent.longest_gap:.1f} s")
    line("accepted events that are lost", str(len(lost)), "0")
    line(
        "waiting jobs that are lost, and jobs that died",
        f"{sum(j not in held for j in waiting)}, {died}",
        "0, 0",
    )


def backup(bench: Bench) -> None:
    """The backup of a large database, beside a bare dump."""
    bench.lago.put_data()
    columns = bench.lago.sql(
        "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns WHERE table_name = 'events' "
        "AND column_name NOT IN ('id', 'transaction_id')"
    )
    bench.lago.sql(
        f"INSERT INTO events (id, transaction_id, {columns}) SELECT gen_random_uuid(), 'bench-' || number, {columns} "
        f"FROM (SELECT * FROM events LIMIT 1) AS one, generate_series(1, {EVENTS}) AS number"
    )
    bare, mine = [], []
    with bench.timed_steps():
        for _ in range(ROUNDS):
            bare.append(bench.bare_dump())
            bench.change()
            bench.rollout()
            mine.append(bench.steps[DUMP.name])
    ratio = sorted(mine)[ROUNDS // 2] / sorted(bare)[ROUNDS // 2]
    line(f"bare pg_dump -Fc of {EVENTS} events", f"{sorted(bare)[ROUNDS // 2]:.1f} s")
    line("the backup of a deploy against it", f"{ratio:.2f}", "at most 1.2")


PARTS = {"no_change": no_change, "downtime": downtime, "under_load": under_load, "backup": backup}


def parts() -> list[str]:
    """All parts, or those that ``python -m bench.deploy PART...`` names."""
    return [each for each in sys.argv[1:] if each in PARTS] or list(PARTS)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="deploy-", dir="/tmp") as place:
        main(Path(place))
