"""What a run makes in Lago is named after the run and marked with its owner, so that it can be found and removed."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from lago_acceptance.clients.lago import Lago
from lago_acceptance.clients.paths import path_of
from lago_acceptance.core import owner, registry
from lago_acceptance.core import run as runs
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.run import tenant_of
from lago_acceptance.core.waiting import until

_RUN = f"({runs.ID})"
NAME = re.compile(re.escape(runs.PREFIX) + _RUN + r"(?:-|$)")
MARK = re.compile(re.escape(runs.OWNER_LABEL) + f"={_RUN}" + r"/([^/\s]+)/(\S+)")
HOOK = re.compile(r"https?://[^/]+/" + re.escape(runs.PREFIX) + _RUN + r"/([^/\s]+)/([^/\s]+)")
OLD_SECONDS = 24 * 3600
GONE_SECONDS = 20
# For all that is removed together: a Lago that answers slowly may list thousands of things.
REMOVE_SECONDS = 300

# By collection: the kind's name, the field in its path, and the field that holds our mark. In the order of removal.
KINDS = {
    "webhook_endpoints": ("webhook_endpoint", "lago_id", "webhook_url"),
    "customers": ("customer", "external_id", "legal_name"),
    "plans": ("plan", "code", "description"),
    "billable_metrics": ("billable_metric", "code", "description"),
}


class Owner(msgspec.Struct, frozen=True):
    """Who makes things in Lago: a run on a machine, as a process."""

    run: str
    machine: str
    process: str

    @classmethod
    def of(cls, run: runs.Run) -> Owner:
        """This process, running ``run`` on this machine."""
        return cls(run.id, socket.gethostname(), owner.me())

    @property
    def mark(self) -> str:
        """The text that marks everything of this run."""
        return f"{runs.OWNER_LABEL}={self.run}/{self.machine}/{self.process}"

    def hook(self, base: str) -> str:
        """The URL of a webhook endpoint of this run, below a base URL."""
        return f"{base}/{runs.PREFIX}{self.run}/{self.machine}/{self.process}"

    @property
    def gone(self) -> bool:
        """Whether the run has ended: known where its process can be seen, else assumed after a day.

        A run whose mark names no time is nobody's, and is left alone.
        """
        known = owner.gone(self.process)
        if known is not None:
            return known
        try:
            started = datetime.strptime(self.run[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            return False
        return time.time() - started.timestamp() > OLD_SECONDS


class OwnedResource(msgspec.Struct, frozen=True):
    """One thing that some run has made: the collection, its name there, and its owner."""

    collection: str
    name: str
    owner: Owner

    def __str__(self) -> str:
        return f"{KINDS[self.collection][0].replace('_', ' ')} {self.name}"


def owned(lago: Lago) -> list[OwnedResource]:
    """Everything in an organization whose name and mark agree that a run of this suite has made it."""
    found = []
    for collection, (_, name_field, mark_field) in KINDS.items():
        for entry in lago.all(collection):
            owner = owner_of(entry, name_field, mark_field)
            if owner:
                found.append(OwnedResource(collection, entry[name_field], owner))
    return found


def owner_of(entry: dict[str, Any], name_field: str, mark_field: str) -> Owner | None:
    """The owner of an entry, or None where name and mark don't name the same run."""
    text = entry.get(mark_field) or ""
    if hook := HOOK.fullmatch(text):
        # An endpoint has no name: its URL holds name and owner.
        return Owner(hook[1], hook[2], hook[3])
    mark = MARK.fullmatch(text)
    if not mark:
        return None
    owner = Owner(mark[1], mark[2], mark[3])
    name = entry.get(name_field) or ""
    named = NAME.match(name)
    return owner if (named and named[1] == owner.run) or name == tenant_of(owner.run) else None


def remove(lago: Lago, things: list[OwnedResource], permit: Permit) -> list[str]:
    """Delete things and check that they are gone; what is still there. Plans are deleted by the worker."""
    if not isinstance(permit, Permit):
        raise TypeError("removing from Lago needs a permit")
    ordered = sorted(things, key=lambda thing: list(KINDS).index(thing.collection))
    end = time.monotonic() + REMOVE_SECONDS
    for thing in ordered:
        if time.monotonic() > end:
            break
        lago.delete(path_of(thing.collection, thing.name))
    left: list[OwnedResource] = []

    def gone() -> bool:
        nonlocal left
        left = [thing for thing in ordered if time.monotonic() > end or _exists(lago, thing)]
        return not left

    until(gone, GONE_SECONDS)
    return [str(thing) for thing in left]


def _exists(lago: Lago, thing: OwnedResource) -> bool:
    return lago.find(path_of(thing.collection, thing.name), KINDS[thing.collection][0]) is not None


def sweep(lago: Lago, permit: Permit) -> tuple[list[str], list[str]]:
    """Remove what runs left that have ended: what was found, and what could not be removed."""
    dead = [thing for thing in owned(lago) if thing.owner.gone]
    return [str(thing) for thing in dead], remove(lago, dead, permit)


@registry.check(phase=5, errors={"earlier-run-left": "What earlier runs left in Lago can be removed."})
def nothing_is_left(left: Iterable[str]) -> Iterator[Finding]:
    """What earlier runs left in Lago could be removed."""
    for thing in left:
        yield Finding(
            id="earlier-run-left",
            problem=f"an earlier run's {thing} can't be removed",
            impact="it stays in Lago until it is removed by hand",
            fix="Lago deletes plans in the worker: check that it runs, then remove it in the web UI",
        )
