"""Takes the place of a run against one host: a module with the suite's options, whose host's name says what it does."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.registry import Severity
from lago_acceptance.reports import verdict
from lago_acceptance.reports.summary import Cause, Summary, iso

TIMING_ID = "queue-stuck"


def summary(
    host: str, code: int, run: str, ids: tuple[str, ...] = (), started: float | None = None
) -> Summary:
    """The summary of a run that ended so."""
    causes = tuple(
        Cause(
            Finding(
                id=id, severity=Severity.ERROR, problem=f"{id} of {host}", impact="no invoice", fix="look"
            ),
            ("test_it",),
        )
        for id in ids
    )
    now = time.time() if started is None else started
    return Summary(
        run=run,
        version="1",
        target="live",
        host=host,
        started=iso(now),
        ended=iso(now),
        seconds=1.0,
        billing=verdict.BILLS if code == 0 else verdict.WITH_FAULTS if code == 1 else verdict.NOT_KNOWN,
        verdict=verdict.in_words(code, ()),
        exit_code=code,
        causes=causes,
        timings={},
        stand_ins=(),
        images={},
        notes=(),
        checks=(),
    )


def main(words: list[str]) -> int:
    given = dict(itertools.pairwise(words))
    host, reports = given["--hosts"].removeprefix("ssh://"), Path(given["--reports"])
    reports.mkdir(parents=True, exist_ok=True)
    with (reports / "calls").open("a") as calls:
        calls.write(" ".join(words) + "\n")
    times = len((reports / "calls").read_text().splitlines())
    print(f"looked at {host}", flush=True)
    if host.startswith("hang"):
        sleeping = subprocess.Popen(["sleep", "600"])
        (reports / "pids").write_text(f"{os.getpid()} {sleeping.pid}")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if host.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if host.startswith("usage"):
        print("ERROR: --nonsense is no option")
        return 4
    if host.startswith("chatty"):
        print("x" * 300_000)
    if host.startswith("crash"):
        raise RuntimeError("a fault of the suite")
    code, ids = 0, ()
    if host.startswith("red"):
        code, ids = 1, ("api-unhealthy",)
    if host.startswith("moment"):
        code, ids = (1, (TIMING_ID,)) if times == 1 else (0, ())
    if host.startswith("mixed"):
        code, ids = 1, (TIMING_ID, "api-unhealthy")
    folder = reports / f"run{times}"
    folder.mkdir()
    summary(host, code, f"{host}-{times}", ids).write(folder / "summary.json")
    latest = reports / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(folder.name)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
