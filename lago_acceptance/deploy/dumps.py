"""The database's dumps on a host: which is the newest, and how it gets here if it may leave."""

from __future__ import annotations

import base64
import calendar
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import msgspec

from lago_acceptance.core.moments import minute
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy import state
from lago_acceptance.deploy.session import STATE
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import Host

MIB = 2**20
# One line of base64 may take as long as a stalled network does.
_LINE_SECONDS = 120
# A digest of a large file takes a while.
_DIGEST_SECONDS = 900
_SEND = 'sha256sum <"$1" && base64 -w 65532 "$1" && echo end'


class HostDump(msgspec.Struct, frozen=True):
    """A dump on a host: its path there, its size in bytes, when it was made (Unix time), and what it holds by identity.py's names ({} if
    nobody has counted)."""

    path: str
    size: int
    made: float
    identity: dict[str, str] = {}

    @property
    def day(self) -> str:
        """When it was made, in UTC, for a reader."""
        return minute(self.made)


def newest(host: Host, settings: Settings, facts: Facts) -> HostDump:
    """The newest dump of a deploy or of ``backup.files``. UsageError, which says how to make one, where there is none."""
    directory = settings.deployment.directory
    found = [
        *_of_deploys(host, directory),
        *(HostDump(each.path, each.size, each.written) for each in facts.dumps),
    ]
    if not found:
        raise UsageError(
            f"there is no dump on {host.name}: each lago-acceptance deploy makes one; by hand: docker exec DATABASE "
            f"pg_dump -Fc -U lago lago > lago.dump; dumps of your own are found by backup.files in settings.toml"
        )
    return max(found, key=lambda each: each.made)


def _of_deploys(host: Host, directory: str) -> Iterator[HostDump]:
    for deploy in state.read(host, directory).deploys:
        if deploy.dump is not None:
            path = PurePosixPath(directory, STATE, "deploys", deploy.id, "backup", "database.dump")
            yield HostDump(str(path), deploy.dump, _begun(deploy.id), deploy.identity)


def _begun(id: str) -> float:
    return calendar.timegm(time.strptime(id[:15], "%Y%m%d-%H%M%S"))


def copied(host: Host, permit: Permit, dump: HostDump, folder: Path, say: Callable[[str], None]) -> Path:
    """Copy a dump into a private folder here and compare its SHA-256. Unreachable where that fails, or the disk is too small."""
    free = shutil.disk_usage(folder).free
    if free < 2 * dump.size:
        raise Unreachable(
            f"the dump has {dump.size // MIB} MiB, and {free // MIB} MiB are free in {folder}: free some space, or set TMPDIR to a "
            "larger disk"
        )
    target = folder / "database.dump"
    channel = host.open("copying the dump", ("sh", "-c", _SEND, "send", dump.path), permit)
    digest, received, quarters = hashlib.sha256(), 0, 1
    try:
        wanted = channel.receive(_DIGEST_SECONDS).split()[0]
        with target.open("wb") as file:
            target.chmod(0o600)
            while (line := channel.receive(_LINE_SECONDS)) != "end":
                part = base64.b64decode(line)
                digest.update(part)
                received += file.write(part)
                if quarters < 4 and received >= dump.size * quarters / 4:
                    quarters = received * 4 // max(dump.size, 1) + 1
                    if quarters <= 4:
                        say(f"copied {received / MIB:.1f} of {dump.size / MIB:.1f} MiB")
    finally:
        channel.ended(_LINE_SECONDS)
    if digest.hexdigest() != wanted:
        raise Unreachable(f"{dump.path} arrived damaged (its SHA-256 differs): run again")
    say(f"copied {received / MIB:.1f} of {dump.size / MIB:.1f} MiB; its SHA-256 agrees")
    return target
