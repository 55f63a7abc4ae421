"""Many hosts by one command: 1, 5, 20, 50 and 200 simulated ones, which answer by ssh as a real one did.

All of them have to be accepted: a host that is given up is quick, and would make the numbers better than they are.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from bench._measuring import DEADLINE, line, machine
from bench._replayed import looking, replayed
from lago_acceptance.facts.collect import observe
from lago_acceptance.fleet import run
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from tests.support import suite_run
from tests.support.live import lago, sshd
from tests.support.paths import ROOT

COUNTS = (1, 5, 20, 50, 200)
# Of a run against so many hosts beside a run against one; MiB of the runner, and of each host that is looked at at once.
MANY, AT_MOST = 50, 20
RUNNER_MIB, HOST_MIB = 150, 40


def main(folder: Path) -> None:
    """Print what was measured. SystemExit where not all hosts were accepted."""
    host = lago.bring_up(folder / "host")
    try:
        measure(host, folder)
    finally:
        lago.take_down(host)


def measure(host: lago.LiveLago, folder: Path, counts: tuple[int, ...] = COUNTS) -> None:
    """All numbers, by a host that is up."""
    machine()
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    at_once = run.at_once()
    line("hosts that are looked at side by side", str(at_once))
    left_out = []
    with replayed(host, folder / "replayed", after=_seconds_of_an_answer(host)) as server:
        look(host, server, 1, folder / "warm", compiled)
        one = 0.0
        for count in counts:
            taken, mib, busy, accepted = look(host, server, count, folder / str(count), compiled)
            one = one or taken
            limit = RUNNER_MIB + HOST_MIB * min(count, at_once)
            promised = f"at most {AT_MOST}" if count == MANY else ""
            line(f"{count} simulated hosts", f"{taken:.1f} s")
            line("  a host", f"{taken / count:.2f} s")
            line("  processor time of a host", f"{busy / count:.2f} s")
            line("  beside one host", f"{taken / one:.1f}", promised)
            line("  memory at its peak", f"{mib:.0f} MiB", f"at most {limit}")
            line("  accepted", str(accepted), str(count))
            if accepted != count:
                left_out.append(f"{count - accepted} of {count}")
    if left_out:
        raise SystemExit(f"not accepted were {', '.join(left_out)} hosts, so these numbers are of no use")


def look(
    host: lago.LiveLago, server: sshd.Sshd, count: int, folder: Path, compiled: dict[str, str]
) -> tuple[float, float, float, int]:
    """Look at so many hosts: the seconds, the MiB at the peak, seconds of processors, and how many were accepted."""
    folder.mkdir()
    names = [f"host-{number}" for number in range(count)]
    aliases = (f"Host {name}\n  HostName 127.0.0.1\n  Port {server.port}\n" for name in names)
    (folder / "ssh_config").write_text("".join(aliases) + server.ssh_config.read_text())
    inventory = folder / "hosts.toml"
    inventory.write_text("".join(f'[[host]]\naddress = "ssh://{name}"\n' for name in names))
    given = host.options_for(server)
    for option in ("-c", "--target", "--hosts", "--ssh-config"):
        at = given.index(option)
        del given[at : at + 2]
    command = [
        sys.executable,
        "-m",
        "lago_acceptance",
        "live",
        *("--inventory", str(inventory), "--ssh-config", str(folder / "ssh_config"), "-m", "smoke"),
        *("--reports", str(folder / "reports"), *given),
    ]
    started = time.monotonic()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=suite_run.environment(**compiled),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        peak = busy = 0.0
        while process.poll() is None:
            mib, seconds = _used(process.pid)
            peak, busy = max(peak, mib), max(busy, seconds)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.3)
            if time.monotonic() - started > DEADLINE:
                process.terminate()
    taken = time.monotonic() - started
    try:
        hosts = json.loads((folder / "reports" / "summary.json").read_text())["hosts"]
    except OSError:
        raise SystemExit(f"no summary was written: {(folder / 'output').read_text()[-2000:]}") from None
    for each in [each for each in hosts if each["exit_code"]][:3]:
        print(
            f"note: {each['host']}: {each['verdict']}: {[c['finding']['problem'] for c in each['causes']]}",
            flush=True,
        )
    return taken, peak, busy, sum(each["exit_code"] == 0 for each in hosts)


def _used(pid: int) -> tuple[float, float]:
    """MiB of a process and of all that it started, what they share counted once; and the seconds of those that ended."""
    mib = seconds = 0.0
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for each in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                mib += each.memory_full_info().pss / 2**20
                times = each.cpu_times()
                seconds += times.children_user + times.children_system
    return mib, seconds


def _seconds_of_an_answer(host: lago.LiveLago) -> float:
    there = SshHost(parse(host.server.url), host.server.ssh_config)
    started = time.monotonic()
    try:
        observe(there, **looking(host))
    finally:
        there.close()
    return time.monotonic() - started
