"""Going back by hand: undoing a deploy that was cut off, returning to a kept backup, or taking everything down."""

from __future__ import annotations

import base64
from pathlib import Path

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.deploy import plan, schema_change, session, state
from lago_acceptance.deploy.rollout import NotDeployed, Rollout
from lago_acceptance.deploy.session import STATE
from lago_acceptance.deploy.state import HostState, PastDeploy
from lago_acceptance.deploy.steps import DOWN, ROLLBACK
from lago_acceptance.deploy.version import NewVersion
from lago_acceptance.deploy.wishes import Wishes
from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.base import Host, ReadCommand

_FILES = """
cd "$directory/$state/deploys/$id/backup" || exit 1
while IFS='\t' read -r mode path; do
    [ "$mode" = absent ] || printf '%s\t%s\n' "$path" "$(base64 <"files/$path" | tr -d '\n')"
done <modes
"""


def rollback(host: Host, permit: Permit, settings: Settings, *, to: str = "", project: str = "") -> str:
    """Go back to what ran before the last deploy, or to the backup ``to``; a sentence about what runs now.

    A deploy that was cut off is undone instead, where no backup is named. NotDeployed where going back failed, UsageError where there is
    nothing to go back to.
    """
    directory = settings.deployment.directory
    past = state.read(host, directory)
    if not to and (cut := past.unsettled):
        done = session.settle(host, permit, directory, cut.id)
        if done.code:
            raise NotDeployed(f"The deploy {cut.id} could not be undone: {' '.join(done.lines)}")
        return f"The deploy {cut.id}, which was cut off in the step {cut.begun[-1]}, was undone: the old version runs."
    backup = _chosen(past, to, directory, host.name)
    facts = observe(host, project=project, wanted_directory=directory)
    version = NewVersion(Path(directory), _contents(host, directory, backup.id))
    planned = plan.read(host, version, settings.deployment, directory, facts.project)
    if refused := schema_change.without_dump(backup, past, planned, facts, settings):
        raise NotDeployed(refused)
    extra = {"from_backup": f"{directory}/{STATE}/deploys/{backup.id}/backup"}
    with Rollout(host, permit, settings.deployment, planned, facts, Wishes(), ROLLBACK, extra) as rollout:
        rollout.run(expected=backup.identity)
        rollout.accept()
    runs = f"What ran before the deploy {backup.id} runs again; what ran until now is kept as backup {rollout.id}."
    return " ".join([runs, *rollout.returned])


def take_down(host: Host, permit: Permit, settings: Settings, *, named: str, project: str = "") -> str:
    """Dump the database, then remove all containers, volumes and networks of the project; where the dump is.

    UsageError unless ``named`` is the project's name.
    """
    directory = settings.deployment.directory
    facts = observe(host, project=project, wanted_directory=directory)
    if not facts.project:
        raise UsageError(f"no Lago runs in {directory} on {host.name}: there is nothing to take down")
    if named != facts.project:
        raise UsageError(
            f"--down-volumes {named} is not the name of the project in {directory}, which is {facts.project}: it removes the "
            "database with all customers and invoices, so it takes that name"
        )
    version = NewVersion(Path(directory), {})
    planned = plan.read(host, version, settings.deployment, directory, facts.project)
    with Rollout(host, permit, settings.deployment, planned, facts, Wishes(), DOWN) as rollout:
        rollout.run()
        left = rollout.left_volumes()
        rollout.accept()
    said = (
        f"{facts.project} is down, and its volumes are gone. The dump is {rollout.folder}/backup/database.dump: the next deploy "
        "starts empty; restore it with pg_restore, or see docs/runbooks/restore.md."
    )
    if left:
        said += (
            f" The compose file doesn't mention {', '.join(left)}, so they were kept, and the dump may not hold what is in them: once you "
            f"don't need them, docker volume rm {' '.join(left)}"
        )
    return said


def _chosen(past: HostState, to: str, directory: str, host: str) -> PastDeploy:
    if to:
        found = next((each for each in past.deploys if each.id == to and each.has_backup), None)
        if found is None:
            known = ", ".join(each.id for each in past.backups) or "none"
            raise UsageError(f"there is no backup {to} in {directory} on {host}; there are: {known}")
        return found
    if past.latest is None:
        raise UsageError(
            f"nothing has been deployed to {directory} on {host} yet: there is nothing to go back to"
        )
    return past.latest


def _contents(host: Host, directory: str, id: str) -> dict[str, bytes]:
    asked = {"directory": directory, "state": STATE, "id": id}
    lines = (line.partition("\t") for line in host.read(ReadCommand("backup", _FILES, asked)).splitlines())
    return {path: base64.b64decode(content) for path, tab, content in lines if tab}
