"""The pre-deployment list: what must be true of a host before anything is stopped there. Nothing is made or changed for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from lago_acceptance.core.roles import DB, LAGO_RUBY, REDIS
from lago_acceptance.core.settings import Deployment, Limits
from lago_acceptance.deploy.plan import Plan, diff_of
from lago_acceptance.deploy.session import STATE
from lago_acceptance.deploy.state import HostState
from lago_acceptance.facts.types import Facts
from lago_acceptance.model.from_docker import PROJECT_LABEL

_KIB = 1024


def problems(
    plan: Plan, state: HostState, facts: Facts, deployment: Deployment, limits: Limits, overwrite: bool
) -> list[str]:
    """What prevents the deploy, one sentence each, with what to do about it."""
    return [
        *_folder(plan, facts),
        *_missing_files(plan, deployment),
        *_changed_by_hand(plan, state, overwrite),
        *_networks(plan),
        *_ports(plan, facts),
        *_disks(plan, limits),
    ]


def _folder(plan: Plan, facts: Facts) -> Iterator[str]:
    directory = plan.directory
    by_others = [each.name for each in facts.of_role(*LAGO_RUBY) if PROJECT_LABEL not in each.service.labels]
    if by_others and plan.project in facts.lagos:
        yield (
            f"{', '.join(by_others[:3])} on the host was not started by Docker Compose, and a deploy changes Compose projects "
            "only: update it where it is managed, or deploy beside it with --project NAME"
        )
    if not plan.exists:
        yield f"there is no folder {directory} on the host: mkdir -p -m 700 {directory}, or name another in settings.toml"
        return
    if plan.user not in ("0", plan.owner):
        yield f"{directory} belongs to another user (uid {plan.owner}): log in as its owner, or as root"
    elsewhere = facts.lagos.get(plan.project, "")
    if elsewhere and PurePosixPath(elsewhere) != PurePosixPath(directory):
        yield (
            f"the project {plan.project} was started in {elsewhere}, not in {directory}: correct deployment.directory in "
            "settings.toml, or deploy beside it as a project of its own with --project NAME"
        )
    others = [each for each in plan.projects_here if each != plan.project]
    ours = {*plan.new, *plan.old, STATE}
    if others:
        yield f"{directory} is the folder of another Compose project, {', '.join(others)}: name Lago's own in settings.toml"
    elif plan.entries and not ours.intersection(plan.entries):
        yield (
            f"{directory} holds {', '.join(plan.entries[:3])} and nothing of Lago's: name an empty folder, or Lago's own, in "
            "settings.toml (deployment.directory)"
        )


def _missing_files(plan: Plan, deployment: Deployment) -> Iterator[str]:
    have = {*plan.new, *plan.old}
    mounted = {
        mount.source.removeprefix(f"{plan.directory}/")
        for service in plan.model.services
        for mount in service.mounts
        if mount.kind == "bind"
        and not mount.create_host_path
        and mount.source.startswith(f"{plan.directory}/")
    }
    for path in sorted(mounted - have):
        yield (
            f"{path} is mounted by the compose file, but is neither in the folder to deploy nor in {plan.directory}: create it with "
            "lago-acceptance provision, or copy it there"
        )
    if deployment.env_file not in have and "${" in _text(plan.new[deployment.compose_file]):
        yield f"there is no {deployment.env_file}, here or in {plan.directory}: create it with lago-acceptance provision"


def _changed_by_hand(plan: Plan, state: HostState, overwrite: bool) -> Iterator[str]:
    """Files that are not as the last deploy left them, and that this one would replace."""
    if overwrite or state.latest is None:
        return
    for path, digest in state.latest.manifest.items():
        now = plan.old.get(path)
        if now is None or now.digest == digest or path not in plan.changed_files:
            continue
        shown = "\n".join(f"    {line}" for line in diff_of(path, now.content, plan.new[path]))
        yield (
            f"{path} was changed on the host since the last deploy ({state.latest.id}): copy the change into your folder, or replace it "
            f"with --overwrite (the backup keeps it)\n{shown}"
        )


def _networks(plan: Plan) -> Iterator[str]:
    for name in plan.missing_networks:
        yield (
            f"the network {name} does not exist on the host; the proxy or the gateway shares it with Lago, so create it first: "
            f"docker network create {name}"
        )


def _ports(plan: Plan, facts: Facts) -> Iterator[str]:
    own = {
        int(published)
        for container in facts.containers
        for bindings in container.published.values()
        for _, published in bindings
        if published.isdigit()
    }
    for service in plan.model.services:
        for port in service.ports:
            if (
                port.published.isdigit()
                and int(port.published) in plan.listening
                and int(port.published) not in own
            ):
                yield f"port {port.published} of {service.name} is in use by another program (ss -ltnp 'sport = :{port.published}')"


def _disks(plan: Plan, limits: Limits) -> Iterator[str]:
    for what, free in (("images", plan.free_images), ("the dump and the new files", plan.free)):
        if free < limits.free_disk_mib * _KIB and (what != "images" or plan.missing_images):
            yield (
                f"only {free // _KIB} MiB are free for {what}, and {limits.free_disk_mib} are required (limits.free_disk_mib): free some "
                "space (docker image prune)"
            )


def interrupts(plan: Plan) -> bool:
    """Whether users notice: something that writes, or stores, is recreated."""
    roles = {service.name: service.role for service in plan.model.services}
    noticed: Collection[str | None] = (*LAGO_RUBY, DB, REDIS)
    return any(roles.get(name) in noticed for name in (*plan.recreated, *plan.stopped)) or bool(plan.gone)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")
