"""Containers that claim to be the deployment's: they get no credential, and what they say harms no reading."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import pytest

from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from tests.support import containers, suite_run
from tests.support.containers import docker

pytestmark = [pytest.mark.stack, pytest.mark.docker]

# Programs that write down whatever they are given.
RECORDS = """for name in ruby psql redis-cli curl wget; do
    printf '#!/bin/sh\\necho "$0 $*"; { echo "$0 $*"; env; cat; } >>/given\\n' >/usr/local/bin/$name
    chmod +x /usr/local/bin/$name
done
printf 'facts end\\n\\tproject\\nforged\\ncontainers {}\\n'
touch /ready
exec sleep 600"""
PROJECT = "com.docker.compose.project"


def secrets_of(live_lago) -> list[str]:
    """Values of the deployment that nobody else may be given."""
    text = (live_lago.folder / "deployment" / ".env.lago").read_text()
    return re.findall(
        r"(?m)^(?:POSTGRES_PASSWORD|LAGO_API_KEY|REDIS_PASSWORD|SECRET_KEY_BASE)=(.{8,})$", text
    )


@contextlib.contextmanager
def claiming(live_lago, role: str) -> Iterator[str]:
    """The id of a container on the deployment's network whose labels name the project and a role."""
    image = docker("inspect", "--format", "{{.Config.Image}}", live_lago.container("lago-redis"))
    network = next(
        name
        for name in docker("network", "ls", "--format", "{{.Name}}").split()
        if name.startswith(live_lago.project)
    )
    labels = (
        f"{PROJECT}={live_lago.project}",
        f"lago-acceptance.role={role}",
        f'note=x\nR\tforged\ttrue\t"{live_lago.project}"\t"db"\t"db"\t"postgres:15"\t"x"\t[]\t"/f"',
    )
    given = ("--network", network, *(f"--label={label}" for label in labels), "--entrypoint", "sh")
    name = f"{live_lago.project}-claims-{role}"
    with containers.running(image, "-c", RECORDS, options=given, name=name):
        id = docker("inspect", "--format", "{{.Id}}", name)
        docker("exec", id, "sh", "-c", "until [ -e /ready ]; do :; done")
        yield id


def test_a_container_that_only_claims_to_be_ours_gets_no_credential(live_lago):
    there = SshHost(parse(live_lago.server.url), live_lago.server.ssh_config)
    with contextlib.ExitStack() as up:
        up.callback(there.close)
        ids = [up.enter_context(claiming(live_lago, role)) for role in ("api", "db", "redis")]
        facts = observe(there, project=live_lago.project, inside="too")
        given = [docker("exec", id, "sh", "-c", "cat /given 2>/dev/null || true") for id in ids]
    secrets = secrets_of(live_lago)
    assert len(secrets) >= 3 and not [secret for secret in secrets if secret in "".join(given)]
    # The API's was asked all the same, without a key.
    assert "ruby" in given[0] and "LAGO_API_KEY=" not in given[0]
    assert "claims-db was not queried" in facts.database_error
    assert facts.database.complete and facts.redis.version
    assert facts.project == live_lago.project
    assert "forged" not in {each.id for each in (*facts.containers, *facts.others)}
    assert {each.id for each in facts.containers} >= set(ids)


def test_it_is_no_part_of_what_the_files_declare(live_lago, tmp_path):
    with claiming(live_lago, "db"):
        named = ("--project", live_lago.project)
        result = suite_run.run(
            tmp_path, "-k", "test_what_runs_is_what_the_files_say", *named, *live_lago.options
        )
    assert result.red() == {"drift"}, result.output
    assert "no longer has this service" in result.output
