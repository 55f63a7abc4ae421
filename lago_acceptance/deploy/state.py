"""What earlier deploys have left on a host: who holds the lock, how each deploy ended, which backups there are."""

from __future__ import annotations

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.deploy.session import STATE
from lago_acceptance.deploy.steps import DUMP, FILL, MARK
from lago_acceptance.hosts.base import Host, ReadCommand

ACCEPTED, UNDONE, STUCK, CUT_OFF, NOTHING = "accepted", "undone", "stuck", "cut off", "nothing begun"
_READ = """
cd "$directory/$state" 2>/dev/null || exit 0
[ ! -e lock ] || flock -n lock true || printf 'held\t%s\n' "$(cat holder 2>/dev/null)"
[ ! -e upgrade ] || sed 's/^/upgrade\t/' upgrade
for each in deploys/*/; do
    [ -d "$each" ] || continue
    printf 'deploy\t%s\t%s\n' "$(basename "$each")" "$(stat -c %s "$each/backup/database.dump" 2>/dev/null)"
    [ ! -e "$each/journal" ] || sed 's/^/event\t/' "$each/journal"
    [ ! -e "$each/manifest" ] || sed 's/^/file\t/' "$each/manifest"
    [ ! -e "$each/backup/identity" ] || sed 's/^/identity\t/' "$each/backup/identity"
    [ ! -e "$each/backup/schema" ] || sed 's/^/schema\t/' "$each/backup/schema"
    [ ! -e "$each/backup/images" ] || sed 's/^/image\t/' "$each/backup/images"
done
"""


class Event(msgspec.Struct, frozen=True):
    """One line of a journal: when (Unix time), what, and the step ("-" for the deploy itself)."""

    at: int
    what: str
    step: str


class PastDeploy(msgspec.Struct, frozen=True):
    """One deploy as its folder on the host shows it.

    ``dump`` is the size of its dump in bytes, None without one; ``manifest`` maps the files that it put to their SHA-256; ``identity``
    is what the database held before it, ``schema`` its migrations then, also where no dump was made ({} if it couldn't be asked),
    ``images`` the image of each service that ran before it.
    """

    id: str
    events: tuple[Event, ...] = ()
    dump: int | None = None
    manifest: dict[str, str] = {}
    identity: dict[str, str] = {}
    schema: dict[str, str] = {}
    images: dict[str, str] = {}

    @property
    def begun(self) -> tuple[str, ...]:
        """The steps that were begun, in order."""
        return tuple(dict.fromkeys(event.step for event in self.events if event.what == "begin"))

    @property
    def ended(self) -> str:
        """How it ended: one of the words of this module."""
        last = next((event.what for event in reversed(self.events) if event.step == "-"), "")
        if last in (ACCEPTED, UNDONE):
            return last
        if not self.begun:
            return NOTHING
        return STUCK if any(event.what == STUCK for event in self.events) else CUT_OFF

    @property
    def has_backup(self) -> bool:
        """Whether there is something to go back to."""
        return any(event.what == "done" and event.step == "keep" for event in self.events)

    @property
    def only_filled(self) -> bool:
        """Whether it has only filled in data at the release that ran already: it has a dump at most, and changed no file."""
        return bool(self.begun) and not {*self.begun} - {DUMP.name, FILL.name, MARK.name}

    @property
    def unsettled(self) -> bool:
        """Whether what it has begun was neither accepted nor undone."""
        return self.ended in (STUCK, CUT_OFF)


class Upgrade(msgspec.Struct, frozen=True):
    """An upgrade over several stops that is under way: tags, when it began and reached ``at`` (Unix time), and the deploy that has
    the dump of its beginning ("" until there is one).
    """

    target: str
    had: str
    begun: int
    first: str
    at: str
    since: int


class HostState(msgspec.Struct, frozen=True):
    """All deploys of a folder, the oldest first; ``holder`` is who changes it now, "" if nobody does."""

    holder: str
    deploys: tuple[PastDeploy, ...]
    upgrade: Upgrade | None = None

    @property
    def unsettled(self) -> PastDeploy | None:
        """The deploy that was cut off and not undone since, None if there is none."""
        return next((each for each in reversed(self.deploys) if each.unsettled), None)

    @property
    def latest(self) -> PastDeploy | None:
        """The last deploy that was accepted."""
        return next(
            (each for each in reversed(self.deploys) if each.ended == ACCEPTED and not each.only_filled), None
        )

    @property
    def last_downtime(self) -> float | None:
        """Seconds from stopping the API to the new version being up, in the last deploy that was accepted; None if unknown."""
        for deploy in reversed(self.deploys):
            at = {(event.what, event.step): event.at for event in deploy.events}
            if deploy.ended == ACCEPTED and ("begin", "stop") in at and ("done", "up") in at:
                return float(at["done", "up"] - at["begin", "stop"])
        return None

    @property
    def backups(self) -> tuple[PastDeploy, ...]:
        """Deploys with something to go back to, the newest first."""
        return tuple(each for each in reversed(self.deploys) if each.has_backup)


def read(host: Host, directory: str) -> HostState:
    """The state of a deployment's folder; empty where nothing was ever deployed to it. Unreachable as ``Host.read``."""
    holder = ""
    found: list[PastDeploy] = []
    upgrade: dict[str, list[str]] = {}
    for line in host.read(
        ReadCommand("state of the deploys", _READ, {"directory": directory, "state": STATE})
    ).splitlines():
        kind, *rest = line.split("\t")
        if kind == "held":
            holder = redact("\t".join(rest)) or "somebody else"
        elif kind == "upgrade":
            upgrade[rest[0]] = rest[1:]
        elif kind == "deploy":
            found.append(PastDeploy(rest[0], dump=int(rest[1]) if rest[1:] and rest[1] else None))
        elif found:
            found[-1] = _with(found[-1], kind, rest)
    return HostState(holder, tuple(found), _upgrade(upgrade))


def _upgrade(lines: dict[str, list[str]]) -> Upgrade | None:
    match lines.get("to"), lines.get("from"), lines.get("at"):
        case [target], [had, begun, first], [at, since]:
            return Upgrade(target, had, int(begun), first, at, int(since))
    return None


def _with(deploy: PastDeploy, kind: str, rest: list[str]) -> PastDeploy:
    match kind, rest:
        case "event", [at, what, step]:
            return msgspec.structs.replace(deploy, events=(*deploy.events, Event(int(at), what, step)))
        case "file", [line]:
            digest, _, path = line.partition("  ")
            return msgspec.structs.replace(deploy, manifest={**deploy.manifest, path: digest})
        case "identity", [name, value]:
            return msgspec.structs.replace(deploy, identity={**deploy.identity, name: value})
        case "schema", [name, value]:
            return msgspec.structs.replace(deploy, schema={**deploy.schema, name: value})
        case "image", [service, reference, image, *_]:
            return msgspec.structs.replace(
                deploy,
                images={**deploy.images, service: f"{reference} ({image.removeprefix('sha256:')[:12]})"},
            )
    return deploy
