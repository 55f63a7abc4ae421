"""Checks of what the host has to give: inodes, memory, and a Docker that is there after a reboot."""

from __future__ import annotations

from collections.abc import Iterator

from lago_acceptance.checks import availability
from lago_acceptance.checks.container_commands import recreate
from lago_acceptance.checks.without import impact_without
from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.moments import since
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.roles import DB, LAGO_RUBY, REDIS
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.facts.types import Facts

_AT_BOOT = "the host does not say whether Docker is started at boot"
_MIB = 2**20


@registry.check(
    phase=2, errors={"inodes-used-up": "The host's disks have the free inodes that settings.toml requires."}
)
def inodes_are_left(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The file systems of / and of Docker's data have at least limits.free_inodes percent of their inodes left.

    Those that make inodes as they need them (btrfs, xfs in part) have no such number, and are not judged.
    """
    for each in {each.mount: each for each in facts.inodes}.values():
        left = 100 * each.free / each.all if each.all else 100.0
        if left < settings.limits.free_inodes:
            yield Finding(
                id="inodes-used-up",
                problem=f"{each.mount} has {each.free} of {each.all} inodes left ({left:.1f} %, less than "
                f"{settings.limits.free_inodes:g} %)",
                impact="no new file can be made, although space is free: PostgreSQL, Redis and Docker stop writing",
                fix="find what makes many small files: docker system df; sudo du --inodes -xd3 / | sort -n | tail",
            )


@registry.check(
    phase=2,
    warnings={
        "memory-low": "The host has the available memory that settings.toml requires.",
        "swap-full": "The host's swap is not used up.",
    },
)
def memory_is_left(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The host has at least limits.free_memory_mib of available memory, and limits.free_swap percent of its swap left.

    A host without swap is fine.
    """
    machine = facts.machine
    if machine is None or machine.available is None:
        raise Unknown(
            "how much memory the host has left: /proc/meminfo does not say",
            why="the host does not say how much memory is left",
        )
    load = f"; {facts.load_text()}" if facts.load_text() else ""
    look = "docker stats --no-stream; ps aux --sort=-rss | head"
    if machine.available < settings.limits.free_memory_mib:
        yield Finding(
            id="memory-low",
            severity=Severity.WARNING,
            problem=f"{machine.available} MiB of {machine.memory or '?'} MiB of memory are available, less than "
            f"{settings.limits.free_memory_mib}{load}",
            impact="the kernel kills what is largest next, often PostgreSQL or a worker amid a job",
            fix=f"see what takes it: {look}; limit it (mem_limit), or give the host more",
        )
    if (
        machine.swap
        and machine.swap_free is not None
        and 100 * machine.swap_free / machine.swap < settings.limits.free_swap
    ):
        yield Finding(
            id="swap-full",
            severity=Severity.WARNING,
            problem=f"{machine.swap_free} MiB of {machine.swap} MiB of swap are left{load}",
            impact="everything waits for the disk, requests and jobs time out; what needs memory next is killed",
            fix=f"see what takes the memory: {look}; limit it (mem_limit), or give the host more",
        )


@registry.check(
    phase=2,
    errors={"killed-for-memory": "The kernel has killed no process inside a container for lack of memory."},
)
def nothing_was_killed_for_memory(facts: Facts) -> Iterator[Finding]:
    """In no running container has the kernel killed a process for lack of memory since the container's start.

    Docker says so only of a container's first process: where a child is killed, the container stays up. A
    warning where the container is none of Lago's own and no store.
    """
    availability.brought_up(facts)
    if not any(each.id in facts.oom_kills for each in facts.containers):
        raise Unknown(
            "how often the kernel has killed processes for lack of memory: the containers' cgroups can't be read",
            why="the containers' cgroups can't be read",
            fix="look by hand: dmesg -T | grep -i 'killed process'",
        )
    for container in facts.containers:
        kills = facts.oom_kills.get(container.id, 0)
        if not kills or not container.running:
            continue
        limit = container.service.memory
        how = (
            f"its limit is {limit // _MIB} MiB"
            if limit
            else "it has no limit of its own, so the host ran out of memory"
        )
        yield Finding(
            id="killed-for-memory",
            role=container.role,
            service=container.service.name,
            severity=Severity.ERROR if container.role in (*LAGO_RUBY, DB, REDIS) else Severity.WARNING,
            problem=f"the kernel killed a process inside {'once' if kills == 1 else f'{kills} times'} for lack of memory since the "
            f"container's start at {since(facts.started_at(container), facts.host_clock)}; {how}",
            impact=f"what the process was doing was lost or is done again; if it goes on, {impact_without(container.role)}",
            fix=f"see what it needs (docker stats --no-stream {container.name}); raise mem_limit in the compose file, then: "
            f"{recreate(container)}",
        )


@registry.check(
    phase=2,
    errors={
        "log-inside-too-big": "No log file inside a container is larger than the limit in settings.toml."
    },
)
def logs_inside_are_small(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """The files in /app/log of Lago's containers take at most limits.log_mib each container."""
    for container in facts.of_role(*LAGO_RUBY):
        size = facts.process(container).log_bytes
        if size is None or size <= settings.limits.log_mib * _MIB:
            continue
        yield Finding(
            id="log-inside-too-big",
            role=container.role,
            service=container.service.name,
            problem=f"the files in /app/log inside the container take {size / _MIB:.0f} MiB, more than "
            f"{settings.limits.log_mib}; nothing rotates them, and docker logs doesn't show them",
            impact="the disk fills up, and PostgreSQL stops",
            fix=f"set RAILS_LOG_TO_STDOUT=true (that very value), then: {recreate(container)}; for now: docker exec "
            f"{container.name} sh -c 'truncate -s 0 /app/log/*.log'",
        )


@registry.check(phase=2, warnings={"docker-not-at-boot": "The host starts Docker at boot."})
def docker_is_started_at_boot(facts: Facts) -> Iterator[Finding]:
    """systemd starts Docker at boot. Unknown where the host has no systemd, or Docker is no service of it."""
    if not facts.docker_at_boot:
        raise Unknown(_AT_BOOT, fix="check it by hand: reboot at a quiet hour")
    if facts.docker_at_boot in ("disabled", "masked", "masked-runtime"):
        yield Finding(
            id="docker-not-at-boot",
            severity=Severity.WARNING,
            problem=f"docker.service is {facts.docker_at_boot}: systemd does not start it at boot",
            impact="after the next reboot nothing of Lago runs until somebody logs in: no invoices, no webhooks, no usage",
            fix="systemctl enable docker.service"
            if facts.docker_at_boot == "disabled"
            else "systemctl unmask docker.service; systemctl enable docker.service",
        )
