"""What `lago-acceptance upgrade-check` costs PostgreSQL, on a database with a million fees."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from bench import _large
from bench._measuring import DEADLINE, line, machine, note_failure
from lago_acceptance.core.waiting import until
from tests.support.deploy import command, host
from tests.support.deploy.host import DeployableHost

EVENTS, FEES = 10**6, 10**6
ROUNDS, PROMISED = 5, 100
BACKGROUND = ("lago-api", "lago-worker", "lago-clock")


def main(folder: Path) -> None:
    """Print PostgreSQL's milliseconds for one check; nobody else asks it anything meanwhile."""
    machine()
    lago = host.bring_up(folder / "host")
    try:
        _large.fill(lago, events=EVENTS, fees=FEES)
        _large.run(lago, "VACUUM ANALYZE")
        for service in BACKGROUND:
            subprocess.run(
                ["docker", "stop", "-t", "60", lago.container(service)], check=True, timeout=DEADLINE
            )
        taken = [_check(lago) for _ in range(ROUNDS + 1)][1:]
    finally:
        lago.down()
    line(
        f"PostgreSQL's time for a check, {FEES} fees",
        f"{statistics.median(taken):.0f} ms",
        f"at most {PROMISED} ms",
    )
    line("its slowest of a few", f"{max(taken):.0f} ms")


def _check(lago: DeployableHost) -> float:
    before = _active(lago)
    ended = command.run("upgrade-check", lago, "v1.26.0")
    note_failure("upgrade-check", ended.code if ended.code not in (0, 1) else 0, ended.output)
    return _active(lago) - before


def _active(lago: DeployableHost) -> float:
    """Milliseconds that statements in Lago's database have taken until now, once those of ended sessions are counted."""
    seen: list[str] = []

    def settled() -> bool:
        # The sessions that ask this are of another database.
        seen.append(
            subprocess.run(
                ["docker", "exec", lago.container("lago-db"), "psql", "-XAtq", "-U", "lago", "-d", "postgres", "-c",
                 "SELECT active_time FROM pg_stat_database WHERE datname = 'lago'"],
                check=True, capture_output=True, text=True, timeout=DEADLINE,
            ).stdout.strip()
        )  # fmt: skip
        return len(seen) > 1 and seen[-1] == seen[-2]

    if not until(settled, DEADLINE, first=1, slowest=1):
        sys.exit("somebody else uses the database")
    return float(seen[-1])
