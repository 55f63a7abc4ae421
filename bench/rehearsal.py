"""A rehearsed upgrade of a large database, beside a bare pg_restore and what its migrations and tasks take by themselves."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from bench import _large
from bench._measuring import DEADLINE, line, machine
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.settings import load
from lago_acceptance.deploy.rehearsal_report import Report
from lago_acceptance.deploy.rehearsal_source import of_deployment
from lago_acceptance.deploy.rehearsed_path import RehearsedPath
from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.lago.upgrade_path import named
from tests.support.deploy import host
from tests.support.deploy.host import DeployableHost
from tests.support.standin.releases import Tagged, tagged_releases

EVENTS, FEES = 10**6, 10**5
TO = "v1.26.0"


def main(folder: Path) -> None:
    """Print each promised number beside what was measured."""
    machine()
    lago = host.bring_up(folder / "host")
    try:
        _large.fill(lago, events=EVENTS, fees=FEES)
        dump = folder / "large.dump"
        _dump(lago, dump)
        bare = _bare_restore(lago, dump)
        with tagged_releases() as tagged:
            report = _rehearsed(lago, dump, tagged)
    finally:
        lago.down()
    if not report.accepted:
        raise SystemExit(f"the rehearsal was not accepted: {'; '.join(report.problems)}")
    migrations = sum(leg.migrate_seconds for leg in report.legs)
    tasks = sum(leg.fill_seconds for leg in report.legs)
    line(f"bare pg_restore of {EVENTS} events and {FEES} fees", f"{bare:.1f} s")
    line("restored in the rehearsal", f"{report.restore_seconds:.1f} s")
    line(f"migrations to {TO}", f"{migrations:.1f} s")
    line(f"tasks and jobs, for {sum(leg.rows for leg in report.legs)} rows", f"{tasks:.1f} s")
    line("the whole rehearsal", f"{report.seconds:.1f} s")
    line(
        "it against pg_restore, migrations and tasks",
        f"{report.seconds / (bare + migrations + tasks):.2f}",
        "at most 1.3",
    )


def _dump(lago: DeployableHost, path: Path) -> None:
    inside = ["docker", "exec", lago.container("lago-db"), "pg_dump", "-Fc", "-U", "lago", "-d", "lago"]
    with path.open("wb") as file:
        subprocess.run(inside, stdout=file, check=True, timeout=DEADLINE)


def _bare_restore(lago: DeployableHost, dump: Path) -> float:
    """Seconds of a bare pg_restore into an empty database."""
    inside = ["docker", "exec", "-i", lago.container("lago-db")]
    subprocess.run(
        [*inside, "createdb", "-U", "lago", "-T", "template0", "bench"], check=True, timeout=DEADLINE
    )
    began = time.monotonic()
    with dump.open("rb") as file:
        subprocess.run(
            [*inside, "pg_restore", "-U", "lago", "-d", "bench"], stdin=file, check=True, timeout=DEADLINE
        )
    taken = time.monotonic() - began
    subprocess.run([*inside, "dropdb", "-U", "lago", "bench"], check=True, timeout=DEADLINE)
    return taken


def _rehearsed(lago: DeployableHost, dump: Path, tagged: Tagged) -> Report:
    """What a rehearsal on this machine, as a host, has taken."""
    here = LocalHost()
    # The first time they are built.
    images = {each: tagged.api(each) for each in ("v1.16.0", "v1.25.0", TO)}
    began = time.monotonic()
    report = Report(dump=str(dump))
    RehearsedPath(
        host=here,
        permit=Permit("bench"),
        settings=load(lago.settings),
        directory=str(lago.folder),
        dump=str(dump),
        source=of_deployment(here, observe(here, project=lago.project), ""),
        say=lambda said: print(f"  {time.monotonic() - began:5.1f} s  {said}", flush=True),
        to=named(TO),
        running="v1.16.0",
        image_of=lambda tags: {each: images[each] for each in tags},
        report=report,
    ).run()
    return report


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="rehearsal-", dir="/tmp") as place:
        main(Path(place))
