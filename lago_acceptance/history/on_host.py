"""A history that lies on the host under test, for runners that keep nothing: fetched before a run, and put back after it."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lago_acceptance.core import private_folders, report_files
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.printable import one_line
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.history.database import NAME, Unusable
from lago_acceptance.hosts.address import Address
from lago_acceptance.hosts.base import Host, ReadCommand, WriteCommand

T = TypeVar("T")
# Room for 10,000 runs. The host decides what it sends, and a runner's memory is small.
MOST = 8 * 2**20
SECONDS = 60.0
INSTEAD = "choose another file with --history-on-host"
CHANGED = "changed"
# How often it is tried to replace a file that others replace as well.
ATTEMPTS = 3
_FETCH = """
if [ ! -e "$file" ] && [ ! -L "$file" ]; then echo none; exit 0; fi
[ -f "$file" ] || { echo "refused it is not a regular file"; exit 0; }
[ -r "$file" ] || { echo "refused this account may not read it"; exit 0; }
size=$(wc -c <"$file") && [ "$size" -le "$most" ] || { echo "refused it has $size bytes, and $most are the limit"; exit 0; }
echo found
base64 <"$file"
"""
# A name of its own beside the file, and one step from the old file to the new.
_PUT = """
umask 077
fail() { rm -f "$new"; echo "$1"; exit 1; }
new="$file.new.$$"
mkdir -p "$(dirname "$file")" 2>&1 || exit 1
set -C
{ base64 -d | gzip -dc >"$new"; } <<'END' || fail "it can't be written there: $(df -P "$(dirname "$file")" 2>/dev/null | tail -n 1)"
%s
END
set +C
[ "$(wc -c <"$new")" -eq "$size" ] || fail "it was not written whole"
now=none
[ ! -e "$file" ] || now=$(sha256sum <"$file" | cut -d' ' -f1)
[ "$now" = "$before" ] || { rm -f "$new"; echo changed; exit 0; }
mv -f "$new" "$file" 2>&1 || fail "it can't be replaced"
echo written
"""


class _Put(WriteCommand, frozen=True):
    """Writes a file. Its content is part of the script: neither arguments nor variables may be so long."""

    content: str = ""

    def script(self) -> str:
        variables = ReadCommand(self.name, _PUT % self.content, self.environment)
        return variables.script()


class OnHost:
    """A history on a host. Each method raises Unusable, in one sentence, where it fails."""

    def __init__(self, host: Host, path: str, permit: Permit):
        self._host, self._path, self._permit = host, path, permit

    def fetch(self, to: Path) -> str:
        """Copy it to a file here, which is empty where there is none yet. The digest by which ``put`` knows it again."""
        variables = {"file": self._path, "most": str(MOST)}
        answer = self._asked(lambda: self._host.read(ReadCommand("history", _FETCH, variables, SECONDS)))
        first, _, rest = answer.partition("\n")
        if first not in ("none", "found"):
            raise self._failed(first.removeprefix("refused "))
        try:
            content = base64.b64decode("".join(rest.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._failed("the host sent something other than the file") from error
        with report_files.writing(to, report_files.IN_TMPDIR):
            report_files.write(to, content)
        return hashlib.sha256(content).hexdigest() if first == "found" else "none"

    def put(self, file: Path, before: str) -> bool:
        """Replace it by a file from here, in one step; False where it is no longer the one with the digest ``before``."""
        content = file.read_bytes()
        if len(content) > MOST:
            raise self._failed(
                f"it has {len(content)} bytes, and {MOST} are the limit: lower [reports] history"
            )
        command = _Put(
            "history",
            (),
            {"file": self._path, "before": before, "size": str(len(content))},
            deadline=SECONDS,
            # A shell reads its input byte by byte: a megabyte takes bash some seconds.
            content=base64.encodebytes(gzip.compress(content)).decode().rstrip("\n"),
        )
        ended = self._asked(lambda: self._host.change(command, self._permit))
        said = ended.output.strip().splitlines() or ["it printed nothing"]
        if ended.code or ended.stopped or said[-1] not in ("written", CHANGED):
            raise self._failed(ended.stopped or said[-1])
        return said[-1] != CHANGED

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except Unreachable as error:
            raise self._failed(str(error)) from error

    def _failed(self, reason: str) -> Unusable:
        return Unusable(
            f"the history {self._path} on {self._host.name} can't be used: {one_line(redact(reason))[:300]}; {INSTEAD}"
        )


class Copy:
    """A history on a host, and its copy in a private folder. It has a connection of its own: the deployment's has ended by
    the time that a run can be added.
    """

    def __init__(self, address: Address, ssh_config: Path | None, path: str):
        from lago_acceptance.hosts.ssh import SshHost

        with report_files.writing("the copy of the history", report_files.IN_TMPDIR):
            self._folder = private_folders.make("lago-history-")
        self.file = self._folder / NAME
        self._host = SshHost(address, ssh_config)
        self._on_host = OnHost(self._host, path, Permit("--history-on-host"))
        self._digest = ""
        self._failed: report_files.NotWritten | None = None

    def fetch(self) -> None:
        """Copy it here, once. Unusable where that fails, each time without another attempt."""
        if self._failed:
            raise self._failed
        if not self._digest:
            try:
                self._digest = self._on_host.fetch(self.file)
            except report_files.NotWritten as error:
                self._failed = error
                raise

    def put_back(self) -> bool:
        """Put the copy in its place; False where that has changed meanwhile, and must be fetched once more."""
        changed = not self._on_host.put(self.file, self._digest)
        self._digest = ""
        return not changed

    def close(self) -> None:
        """End the connection, and remove the copy."""
        self._host.close()
        shutil.rmtree(self._folder, ignore_errors=True)
