"""Whether a test stack may be started on this Docker daemon, and what earlier runs left on it."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from lago_acceptance.core import run as runs
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import ALL, DB, PDF, REDIS, role_of
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import Host, ReadCommand, WriteCommand

# A second database or Redis does no harm to a test stack; a second Lago or Traefik does.
_IN_THE_WAY = tuple(role for role in ALL if role not in (DB, REDIS, PDF))


class Daemon(msgspec.Struct, frozen=True):
    """What was found on the daemon. ``running``: name, project, image and command of each container."""

    endpoint: str
    version: str
    running: tuple[tuple[str, str, str, str], ...]
    owned: tuple[tuple[str, str, str], ...]


def read(host: Host) -> Daemon:
    """What the daemon runs. Unreachable when it doesn't answer."""
    text = (files("lago_acceptance.targets.stack") / "scripts" / "daemon.sh").read_text("utf-8")
    output = host.read(ReadCommand("Docker daemon", text, {"run_label": runs.RUN_LABEL}, deadline=15))
    endpoint, version, running, owned = "", "", [], []
    lines = output.splitlines()
    for line in lines:
        if line.startswith("endpoint "):
            endpoint = line.removeprefix("endpoint ")
        elif line.startswith("version "):
            version = line.removeprefix("version ")
        elif line.startswith("container\t"):
            name, project, image, command = (line.split("\t", 4)[1:] + [""])[:4]
            running.append((name.lstrip("/"), project, image, command))
        elif line.startswith("owned\t"):
            id, run, owner = (line.split("\t") + ["", "", ""])[1:4]
            owned.append((id, run, owner))
    if "unanswered" in lines:
        reason = next((line for line in lines if "rror" in line or "annot" in line), "it gave no reason")
        raise Unreachable(
            f"Docker does not answer at {endpoint or 'the default endpoint'}: {redact(reason)}; start it, or run `make smoke`"
        )
    return Daemon(endpoint, version, tuple(running), tuple(owned))


def refuse_unless_ours(daemon: Daemon) -> None:
    """Unreachable, with the reason, where a test stack must not be started."""
    if daemon.endpoint and not daemon.endpoint.startswith(("unix://", "npipe://")):
        raise Unreachable(
            f"Docker is set to the remote daemon {redact(daemon.endpoint)}: a test stack there could take production's "
            "traffic; unset DOCKER_HOST or run `docker context use default`, or check that host with --target live"
        )
    for name, project, image, command in daemon.running:
        if project.startswith(runs.PREFIX):
            continue
        role = role_of(image, command)
        if role in _IN_THE_WAY:
            raise Unreachable(
                f"the container {name} ({image}) on this Docker daemon looks like a Lago stack (role {role}): a Traefik that watches the same socket "
                "could route customers into the test stack; use another machine, or check this one with --target live"
            )


def sweep(daemon: Daemon, host: Host, permit: Permit) -> list[str]:
    """Remove what runs left behind that were killed; their ids. Runs that are still going are left alone."""
    dead = sorted({run for _, run, owner in daemon.owned if not runs.alive(owner)})
    for run in dead:
        remove(run, host, permit)
    return dead


def create_network(name: str, run: str, host: Host, permit: Permit) -> None:
    """Create a network that belongs to a run. Unreachable where that fails."""
    labels = (f"{runs.RUN_LABEL}={run}", f"{runs.OWNER_LABEL}={runs.owner()}")
    options = tuple(word for label in labels for word in ("--label", label))
    command = ("docker", "network", "create", *options, name)
    outcome = host.change(WriteCommand(f"creating the network {name}", command, deadline=30), permit)
    if outcome.code:
        raise Unreachable(f"the network {name} could not be created: {outcome.output.strip()}")


def remove(run: str, host: Host, permit: Permit) -> str:
    """Remove everything that a run has made on a daemon; what is left of it afterwards, "" when nothing is."""
    text = (files("lago_acceptance.targets.stack") / "scripts" / "remove.sh").read_text("utf-8")
    change = WriteCommand(
        "removal of the run's containers", ("sh", "-c", text, "remove", runs.PREFIX + run), deadline=90
    )
    return host.change(change, permit).output.strip()
