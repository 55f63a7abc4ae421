"""Whether a test stack may be started on this Docker daemon, and what earlier runs left on it."""

from __future__ import annotations

import ipaddress
import re
import shlex
from importlib.resources import files
from pathlib import Path

import msgspec

from lago_acceptance.core import owner, private_folders, report_files
from lago_acceptance.core import run as runs
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts.base import Host, ReadCommand, WriteCommand
from lago_acceptance.model.from_docker import PROJECT_LABEL
from lago_acceptance.targets.stack.foreign import RunningContainer

_RUN_ID = re.compile(r"[a-z0-9][a-z0-9-]{3,60}")
_PROJECT = re.compile(re.escape(runs.PREFIX) + f"({runs.ID})(?:-edge|-gateway)?")
_MOUNTS = Path("/proc/self/mountinfo")


class RunNetwork(msgspec.Struct, frozen=True):
    """A network with the label of a run."""

    name: str
    labels: dict[str, str]

    @property
    def run(self) -> str:
        """The run that made it, "" if none did: a compose file may give any label to a network of its own."""
        run = self.labels.get(runs.RUN_LABEL, "")
        return run if _RUN_ID.fullmatch(run) and self.name.startswith(f"{runs.PREFIX}{run}-") else ""

    @property
    def kept(self) -> str:
        """The private folder of a run with --keep; "" if there is none, or it is gone."""
        folder = Path(self.labels.get(runs.KEPT_LABEL, ""))
        return str(folder) if folder.name.startswith(runs.PREFIX) and folder.is_dir() else ""


class Daemon(msgspec.Struct, frozen=True):
    """What was found on the daemon: its ``running`` containers and the networks of runs.

    ``projects`` are the names of all Compose projects that had a container, a volume or a network before that,
    ``listed`` those of the networks of runs, also of one of which no more could be read.
    """

    endpoint: str
    version: str
    running: tuple[RunningContainer, ...]
    networks: tuple[RunNetwork, ...]
    projects: tuple[str, ...]
    listed: tuple[str, ...]

    @property
    def remains(self) -> set[str]:
        """Runs of which something is there without a network of their own.

        A run makes its own networks first and removes them last. What Docker was about to make when a run was killed can
        be finished after that run has been removed.
        """
        named = {found[1] for project in self.projects if (found := _PROJECT.fullmatch(project))}
        return {run for run in named if not any(f"{runs.PREFIX}{run}-" in name for name in self.listed)}


def read(host: Host) -> Daemon:
    """What the daemon runs. Unreachable when it doesn't answer."""
    text = (files("lago_acceptance.targets.stack") / "scripts" / "daemon.sh").read_text("utf-8")
    labels = {"run_label": runs.RUN_LABEL, "project_label": PROJECT_LABEL}
    output = host.read(ReadCommand("Docker daemon", text, labels, deadline=15))
    lines = [line.partition(" ") for line in output.splitlines()]
    told: dict[str, list[str]] = {}
    for kind, _, rest in lines:
        told.setdefault(kind, []).append(rest)
    endpoint, version = (told.get(kind, [""])[0] for kind in ("endpoint", "version"))
    if "unanswered" in told:
        reason = next(
            (
                line
                for line in output.splitlines()
                if "rror" in line or "annot" in line or "not found" in line
            ),
            "it gave no reason",
        )
        raise Unreachable(_unanswered(endpoint, reason))
    return Daemon(
        endpoint,
        version,
        tuple(msgspec.json.decode(line, type=RunningContainer) for line in told.get("container", ())),
        tuple(msgspec.json.decode(line, type=RunNetwork) for line in told.get("network", ())),
        tuple(msgspec.json.decode(line, type=str) for line in told.get("project", ())),
        tuple(told.get("listed", ())),
    )


def _unanswered(endpoint: str, reason: str) -> str:
    if "docker: not found" in reason or "docker: command not found" in reason:
        return "the program docker is not on PATH; install Docker, or run `make setup`"
    return f"Docker does not answer at {endpoint or 'the default endpoint'}: {redact(reason)}; start it on this machine, or set DOCKER_HOST to where it answers"


def refuse_remote(daemon: Daemon) -> None:
    """Unreachable where Docker is another machine's."""
    if daemon.endpoint and not daemon.endpoint.startswith(("unix://", "npipe://")):
        raise Unreachable(
            f"Docker is set to the remote daemon {redact(daemon.endpoint)}: a test stack there could take production's "
            "traffic; unset DOCKER_HOST or run `docker context use default`, or check that host with --target live"
        )


def refuse_unless_ours(daemon: Daemon) -> None:
    """Unreachable, with the reason, where a test stack must not be started."""
    refuse_remote(daemon)
    here = _MOUNTS.read_text("utf-8", "replace") if _MOUNTS.exists() else ""
    for container in daemon.running:
        # A container that this very run is in has the socket too.
        if container.ours or container.id in here or not (reason := container.in_the_way):
            continue
        raise Unreachable(
            f"the container {container.name.lstrip('/')} ({container.image}) on this Docker daemon {reason}: a Traefik "
            "that watches the same socket could route customers into the test stack; use another machine, or check "
            "this one with --target live"
        )


def sweep(daemon: Daemon, host: Host, permit: Permit) -> list[str]:
    """Remove what killed runs left behind; a remark for each, and for each run of which nobody can tell.

    Only a run whose process has certainly ended, or that has removed its own networks, is removed: others may share this
    daemon. A stack that was kept is left alone.
    """
    kept = {network.run: network.kept for network in daemon.networks if network.run and network.kept}
    owners: dict[str, list[bool | None]] = {run: [True] for run in daemon.remains}
    for network in daemon.networks:
        if network.run:
            owners.setdefault(network.run, []).append(owner.gone(network.labels.get(runs.OWNER_LABEL, "")))
    remarks = []
    for run, gone in sorted(owners.items()):
        if run in kept:
            if False not in gone:
                remarks.append(f"the stack of run {run} was kept; remove it with {removal(Path(kept[run]))}")
        elif all(gone):
            left = remove(run, host, permit)
            private_folders.remove_kept(runs.PREFIX, run)
            done = f"what run {run} left behind could not be removed: {left}"
            remarks.append(done if left else f"removed what run {run} left behind")
        elif None in gone and False not in gone:
            remarks.append(
                f"run {run} belongs to another container or machine, and may still be running: it was left alone; if it has ended, "
                f"remove it with {how_to_remove(run)}"
            )
    return remarks


def how_to_remove(run: str) -> str:
    """The command that removes everything of a run."""
    name = f"name={runs.PREFIX}{run}"
    return (
        f"docker ps -aq --filter {name} | xargs -r docker rm -fv; "
        f"docker volume ls -q --filter {name} | xargs -r docker volume rm; "
        f"docker network ls -q --filter {name} | xargs -r docker network rm"
    )


def removal(folder: Path) -> str:
    """The command that removes everything of a run whose private folder this is."""
    return f"sh {shlex.quote(str(folder / runs.REMOVAL))}"


def write_removal(run: runs.Run, endpoint: str) -> str:
    """Write the program that removes everything of a run, its private folder too; the command that starts it."""
    scripts = files("lago_acceptance.targets.stack") / "scripts"
    lines = [
        f"# Removes everything of run {run.id}: containers, volumes, networks, and the folder of this file.",
        f"run={shlex.quote(run.project)} folder={shlex.quote(str(run.private))}",
        f"export DOCKER_HOST={shlex.quote(endpoint)}" if endpoint else "",
        (scripts / "remove_kept.sh").read_text("utf-8"),
    ]
    report_files.write(run.private / runs.REMOVAL, "\n".join(lines).encode())
    report_files.write(run.private / "remove-stack.sh", (scripts / "remove.sh").read_bytes())
    return removal(run.private)


def create_network(
    name: str, run: str, host: Host, permit: Permit, kept: Path | None = None, subnet: str = ""
) -> None:
    """Create a network that belongs to a run; ``kept`` is its private folder where its stack is to be kept. In a given
    ``subnet`` containers can be given addresses. Unreachable where that fails.
    """
    labels = [f"{runs.RUN_LABEL}={run}", f"{runs.OWNER_LABEL}={owner.me()}"]
    if kept:
        labels.append(f"{runs.KEPT_LABEL}={kept}")
    options = tuple(word for label in labels for word in ("--label", label))
    if subnet:
        options = (*options, "--subnet", subnet)
    command = ("docker", "network", "create", *options, name)
    outcome = host.change(WriteCommand(f"creating the network {name}", command, deadline=30), permit)
    if outcome.code:
        raise Unreachable(f"the network {name} could not be created: {outcome.output.strip()}")


def renumber(name: str, run: str, host: Host, permit: Permit, kept: Path | None = None) -> str:
    """Make a network without containers once more, in the same subnet, so that containers can be given addresses there.

    The last address of the subnet, which no container gets by itself. Unreachable where that fails.
    """
    asked = ReadCommand(
        "the subnet of a network",
        "docker network inspect --format '{{range .IPAM.Config}}{{.Subnet}}{{println}}{{end}}' \"$network\"",
        {"network": name},
    )
    subnet = next((each for each in host.read(asked).split() if ":" not in each), "")
    if not subnet:
        raise Unreachable(
            f"the network {name} has no IPv4 addresses, which a proxy of the compose file needs"
        )
    host.change(
        WriteCommand(f"removing the network {name}", ("docker", "network", "rm", name), deadline=30), permit
    )
    create_network(name, run, host, permit, kept, subnet)
    return str(ipaddress.ip_network(subnet)[-2])


def remove(run: str, host: Host, permit: Permit) -> str:
    """Remove everything that a run has made on a daemon.

    What is left of it afterwards, or why that is not known, and the command that removes it; "" when nothing is left.
    """
    text = (files("lago_acceptance.targets.stack") / "scripts" / "remove.sh").read_text("utf-8")
    change = WriteCommand(
        "removal of the run's containers", ("sh", "-c", text, "remove", runs.PREFIX + run), deadline=90
    )
    outcome = host.change(change, permit)
    said = dict.fromkeys(line.strip() for line in outcome.output.splitlines() if line.strip())
    left = "; ".join(said) or outcome.stopped
    return f"{left}; remove it, once Docker answers, with {how_to_remove(run)}" if left else ""
