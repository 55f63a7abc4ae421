"""What a rehearsal must leave as it was."""

from __future__ import annotations

from lago_acceptance.deploy.rehearsal import PROJECT
from tests.support.containers import docker
from tests.support.deploy.host import DeployableHost

KINDS = (("ps", "-a"), ("volume", "ls"), ("network", "ls"))


def started(lago: DeployableHost) -> set[str]:
    """Which containers of production run, and since when."""
    return {
        docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", each)
        for each in lago.container_ids().values()
    }


def remains() -> list[str]:
    """Docker's objects of rehearsals."""
    return [
        line
        for words in KINDS
        for line in docker(*words, "--filter", f"name={PROJECT}", "--format", "{{json .}}").splitlines()
    ]
