"""A simulated host: an ssh server on loopback that answers as a real one did, as late as that and at no cost.

What it said grows old: a host whose schedules ran some minutes ago is a host whose clock stands still. So every time in it is
moved on by the age of the recording, once a second.
"""

from __future__ import annotations

import datetime
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lago_acceptance.core import report_files
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from tests.support.live import lago, sshd

_ISO = re.compile(r"\b(20\d\d-\d\d-\d\d)([T ])(\d\d:\d\d:\d\d)(?=[.,Z+ \"-]|$)", re.MULTILINE)
_UNIX = re.compile(r"(?<![\w.-])(1[78]\d{8})(?=(?:\d{3})?(?:\.\d+)?(?![\w-]))")
_FORMAT = "%Y-%m-%dT%H:%M:%S"


def moved(text: str, seconds: int) -> str:
    """A text with every time in it so many seconds later: ISO 8601, and Unix time in seconds or milliseconds."""

    def iso(found: re.Match[str]) -> str:
        try:
            at = datetime.datetime.strptime(f"{found[1]}T{found[3]}", _FORMAT)
        except ValueError:
            return found[0]
        return (at + datetime.timedelta(seconds=seconds)).strftime(_FORMAT).replace("T", found[2])

    return _UNIX.sub(lambda found: str(int(found[1]) + seconds), _ISO.sub(iso, text))


def looking(host: lago.LiveLago) -> dict[str, str]:
    """Where a run looks, and how."""
    from lago_acceptance.facts.collect import TOO

    return {"project": host.project, "gateway_network": host.stack.network("gateway"), "inside": TOO}


def recorded(host: lago.LiveLago) -> str:
    """What the host prints to be read, without the lines that an answer begins and ends with."""
    from lago_acceptance.facts.collect import reading

    there = SshHost(parse(host.server.url), host.server.ssh_config)
    try:
        printed = there.read(reading(there, **looking(host)))
    finally:
        there.close()
    kept = [line for line in printed.split("\n") if line and not line.startswith(("clock ", "facts "))]
    return "\n".join(kept) + "\n"


@contextmanager
def replayed(host: lago.LiveLago, folder: Path, after: float) -> Iterator[sshd.Sshd]:
    """An ssh server that answers ``after`` so many seconds what the host says now."""
    from lago_acceptance.facts.script_output import begin, end

    folder.mkdir()
    text, at, over = recorded(host), time.time(), threading.Event()

    def keep_young() -> None:
        while True:
            young = moved(text, round(time.time() - at))
            report_files.write(folder / "facts", young.encode("utf-8", "surrogateescape"))
            if over.wait(1):
                return

    keeper = threading.Thread(target=keep_young, daemon=True)
    keeper.start()
    server = sshd.start(
        folder / "ssh",
        before=f"""echo "lago-acceptance begins"; began=$(date +%s.%N); nonce=$(sed -n 's/^nonce=//p' "$input")
echo "{begin("$nonce").strip()}"; sleep {after:.2f}; cat {folder}/facts
printf 'clock %s %s\\n' "$began" "$(date +%s.%N)"; echo "{end("$nonce").strip()}"; exit 0""",
    )
    try:
        yield server
    finally:
        server.stop()
        over.set()
        keeper.join()
