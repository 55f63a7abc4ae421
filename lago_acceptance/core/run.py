"""A run and its id, by which everything that it creates is found and removed."""

from __future__ import annotations

import secrets
import shutil
import time
import uuid
from pathlib import Path

import msgspec

from lago_acceptance.core import private_folders, report_files

PREFIX = "lago-acceptance-"
RUN_LABEL = "lago-acceptance.run"
OWNER_LABEL = "lago-acceptance.owner"
# On the networks of a run with --keep: its private folder, without which its stack can't be started again.
KEPT_LABEL = "lago-acceptance.kept"
REMOVAL = "remove.sh"
# The form of what ``new_id`` makes.
ID = r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}"


class Run(msgspec.Struct, frozen=True):
    """One run: its id (lower case, valid in names of projects and networks), its reports, its private folder.

    The private folder has mode 700 and holds what must stay out of reports: keys and env files. ``unwritten`` says why the
    reports, or the link to them, are not where they were wanted, "" where they are; they are in the private folder then.
    """

    id: str
    reports: Path
    private: Path
    unwritten: str = ""

    @property
    def project(self) -> str:
        """The Compose project of the deployment under test."""
        return f"{PREFIX}{self.id}"

    @property
    def edge_project(self) -> str:
        """The Compose project of the proxy, the CA and the DNS server."""
        return f"{PREFIX}{self.id}-edge"

    def network(self, name: str) -> str:
        """This run's own network that replaces an external one."""
        return f"{PREFIX}{self.id}-{name}"

    def close(self) -> None:
        """Remove the private folder."""
        shutil.rmtree(self.private, ignore_errors=True)

    def keep(self) -> None:
        """Leave the private folder to a stack that is kept: its containers mount a key from it at every start."""
        private_folders.keep(self.private, self.id)


def new_id() -> str:
    """A unique id: the time and a random part."""
    return time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + "-" + secrets.token_hex(3)


def start(reports: Path, run_id: str = "") -> Run:
    """A new run with its folders; ``reports/latest`` links to its reports. NotWritten where it can't have a private folder.

    Reports that can't be written are no reason not to judge.
    """
    name, unwritten = run_id or new_id(), ""
    folder = reports / name
    try:
        report_files.make_folder(folder)
        report_files.link(reports / "latest", name)
    except report_files.NotWritten as error:
        unwritten = str(error)
    with report_files.writing("the private folder of this run", report_files.IN_TMPDIR):
        private = private_folders.make(PREFIX)
        if not folder.is_dir():
            folder = report_files.make_folder(private / "reports")
        return Run(name, folder, private, unwritten)


def tenant_of(run_id: str) -> str:
    """The tenant that a run uses at the gateway, which accepts UUIDs only."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, PREFIX + run_id))
