"""Checks of the host itself: disk, logs, clock, dumps, images, and other stacks."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability, dumps
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, DB
from lago_acceptance.core.settings import Backup, Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Container, Facts

HOUR = 3600


@registry.check(
    phase=2, errors={"disk-full": "The host's disks have the free space that settings.toml requires."}
)
def disks_have_room(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The file systems of / and of Docker's data have at least limits.free_disk_mib left."""
    if not facts.disks:
        raise Unknown("df did not answer on the host", fix="look for a mount that hangs: df on the host")
    for disk in {disk.mount: disk for disk in facts.disks}.values():
        if disk.free_mib < settings.limits.free_disk_mib:
            yield Finding(
                id="disk-full",
                problem=f"{disk.mount} has {disk.free_mib} MiB left, less than {settings.limits.free_disk_mib}",
                impact="PostgreSQL and Redis stop writing, and billing stops with them",
                fix="check docker system df; remove old images (docker image prune) and logs, or enlarge the disk",
            )


@registry.check(phase=2, errors={"image-moved": "Each container runs the image that its tag points to now."})
def images_are_what_their_names_say(facts: Facts) -> Iterator[Finding]:
    """No tag was moved to another image since the container was created: the next recreate would change the version."""
    availability.brought_up(facts)
    if not facts.images:
        raise Unknown("Docker did not list its images by name", fix="run again")
    for container in facts.containers:
        name = container.service.image
        digest = name.partition("@")[2]
        for image in facts.images:
            named = name in image.names or f"{name}:latest" in image.names
            if (
                named or (digest and any(each.endswith(digest) for each in image.names))
            ) and image.id != container.image_id:
                yield Finding(
                    id="image-moved",
                    role=container.role,
                    service=container.service.name,
                    problem=f"{name} now points to a different image ({image.id[:19]}) from the one that is running "
                    f"({container.image_id[:19]})",
                    impact="the next recreate changes the version, whenever that happens",
                    fix="deploy it (docker compose up -d), or pin the image by its digest",
                )


@registry.check(
    phase=2, errors={"log-too-big": "No container's log is larger than the limit in settings.toml."}
)
def logs_are_rotated(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The log files of each container take at most limits.log_mib, rotated files included."""
    availability.brought_up(facts)
    if not facts.log_sizes:
        raise Unknown(
            "the sizes of the log files are not visible: only root can see them, and other logging drivers have none",
            why="only root can see the sizes of the log files",
            fix="log in as root, with the logging driver json-file",
        )
    limit = settings.limits.log_mib
    for container in facts.containers:
        size = facts.log_sizes.get(container.id, 0) / 2**20
        if size > limit:
            yield Finding(
                id="log-too-big",
                role=container.role,
                service=container.service.name,
                problem=f"its log takes {size:.0f} MiB, more than {limit}",
                impact="the disk fills up, and PostgreSQL stops",
                fix="rotate it: logging driver json-file with max-size and max-file, as in "
                "compose/docker-compose.lago.yml; "
                "then recreate the container",
            )


@registry.check(phase=2, errors={"clock-drift": "The host's clock is right."})
def clock_is_right(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The host's clock differs from this machine's by at most limits.clock_drift, the round trip aside."""
    if abs(facts.clock_drift) > settings.limits.clock_drift:
        ahead = "ahead of" if facts.clock_drift > 0 else "behind"
        yield Finding(
            id="clock-drift",
            problem=f"the host's clock is at least {abs(facts.clock_drift):.0f} s {ahead} this machine's",
            impact="periods end and tokens expire at the wrong time, and usage is counted in the wrong period",
            fix="turn on time synchronisation there (timedatectl set-ntp true), and check this machine's clock, too",
        )


@registry.check(phase=2, errors={"dump-old": "The last dump of the database is recent and not empty."})
def last_dump_is_recent(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The newest file that matches [backup] files in settings.toml is younger than [backup] hours, and not empty."""
    if settings.backup is None:
        raise Unknown(
            "settings.toml does not say where dumps are ([backup] files)",
            why="settings.toml does not say where dumps are",
            fix="set files and hours under [backup]",
        )
    if not facts.dumps and facts.closed_dumps:
        raise Unknown(
            f"no dump can be seen: {facts.closed_dumps} is a folder that this user may not look into",
            why="the dumps are in a folder that this user may not look into",
            fix="log in as root, or let this user read the dumps",
        )
    if problem := _problem_of_dumps(facts, settings.backup):
        yield Finding(
            id="dump-old",
            role=DB,
            problem=problem,
            impact="if the disk fails, everything since the last good dump is lost: invoices can't be recreated",
            fix="check the timer that makes the dumps (docker exec lago-db pg_dump …), its log and free space",
        )


def _problem_of_dumps(facts: Facts, backup: Backup) -> str:
    if not facts.dumps:
        return f"no file matches {backup.files}"
    # One that is being written is no dump yet.
    done = [dump for dump in facts.dumps if not dumps.is_being_written(facts, dump)]
    last = done[-1] if done else facts.dumps[-1]
    age = (facts.host_clock - last.written) / HOUR
    if age > backup.hours:
        return f"the last dump, {last.path}, is {age:.0f} hours old, more than {backup.hours:g}"
    return "" if last.size else f"the last dump, {last.path}, is empty"


@registry.check(phase=2, errors={"two-lago-stacks": "No other stack answers to this Lago's names."})
def no_other_stack_has_its_names(facts: Facts) -> Iterator[Finding]:
    """On the networks that it shares with others, no other container has the API's names."""
    availability.brought_up(facts)
    ours = {
        (network, name): container
        for container in facts.containers
        if container.running and container.role == API
        for network, name in _names(container)
    }
    for other in facts.others:
        for network, name in _names(other) if other.running else ():
            if (container := ours.get((network, name))) is not None:
                yield Finding(
                    id="two-lago-stacks",
                    role=container.role,
                    service=container.service.name,
                    problem=f"on the network {network}, {name} is both {container.name} and {other.name}",
                    impact="requests to that name reach one or the other at random",
                    fix="remove the unwanted stack, or take one of them off that network",
                )


def _names(container: Container) -> Iterator[tuple[str, str]]:
    for network in container.addresses:
        key = network.removeprefix(f"{container.project}_")
        for name in container.service.networks.get(key, ()):
            if not container.id.startswith(name):
                yield network, name
