"""What of the host itself stands in Lago's way: images, logs, clock, dumps, others. Answers are findings."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.core.findings import Finding
from lago_acceptance.core.roles import API, DB
from lago_acceptance.facts.types import Container, Facts

HOUR = 3600


def images_moved(facts: Facts) -> Iterator[Finding]:
    """Containers whose image's name stands for another image by now."""
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
                    problem=f"{name} stands for another image ({image.id[:19]}) than the one that runs "
                    f"({container.image_id[:19]})",
                    impact="the next recreate changes the version, at a time that nobody chose",
                    fix="deploy it (docker compose up -d), or pin the image by its digest",
                )


def big_logs(facts: Facts, mib: int) -> Iterator[Finding]:
    """Containers whose log files take more than this many MiB."""
    for container in facts.containers:
        size = facts.log_sizes.get(container.id, 0) / 2**20
        if size > mib:
            yield Finding(
                id="log-too-big",
                role=container.role,
                service=container.service.name,
                problem=f"its log takes {size:.0f} MiB, more than {mib}",
                impact="the disk fills, and PostgreSQL stops with it",
                fix="rotate it: logging driver json-file with max-size and max-file, as in "
                "compose/docker-compose.lago.yml; "
                "then recreate the container",
            )


def clock_drift(facts: Facts, limit: float) -> list[Finding]:
    """A host whose clock is further from this machine's than the way there explains."""
    if abs(facts.clock_drift) <= limit:
        return []
    ahead = "ahead of" if facts.clock_drift > 0 else "behind"
    return [
        Finding(
            id="clock-drift",
            problem=f"the host's clock is at least {abs(facts.clock_drift):.0f} s {ahead} this machine's",
            impact="periods end and tokens expire at the wrong time, and usage is counted into the wrong "
            "period",
            fix="turn on time synchronisation there (timedatectl set-ntp true), and look at this "
            "machine's, too",
        )
    ]


def last_dump(facts: Facts, pattern: str, hours: float) -> list[Finding]:
    """No dump, an old one, or one with nothing in it."""
    problem = None
    if not facts.dumps:
        problem = f"no file fits {pattern}"
    else:
        last = facts.dumps[-1]
        age = (facts.host_clock - last.written) / HOUR
        if age > hours:
            problem = f"the last dump, {last.path}, is {age:.0f} hours old, more than {hours:g}"
        elif not last.size:
            problem = f"the last dump, {last.path}, is empty"
    if problem is None:
        return []
    return [
        Finding(
            id="dump-old",
            role=DB,
            problem=problem,
            impact="what happened since then is lost with the disk: invoices can't be made anew",
            fix="look at the timer that dumps (docker exec lago-db pg_dump …), at its log and at free space",
        )
    ]


def doubled_names(facts: Facts) -> Iterator[Finding]:
    """Names of this Lago that another stack's container answers to on a network that both are on."""
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
                    impact="who asks that name reaches one or the other, from request to request",
                    fix="remove the stack that is not meant, or take one of them off that network",
                )


def _names(container: Container) -> Iterator[tuple[str, str]]:
    for network in container.addresses:
        key = network.removeprefix(f"{container.project}_")
        for name in container.service.networks.get(key, ()):
            if not container.id.startswith(name):
                yield network, name
