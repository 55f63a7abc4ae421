"""Mistakes in the files of a new version: each is named, and the old version runs on with all of its data."""

from __future__ import annotations

import pytest

from lago_acceptance.core.waiting import until
from tests.support import broken_deployments
from tests.support.containers import docker
from tests.support.deploy import command, moments, stream
from tests.support.deploy import host as hosts
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]


@pytest.fixture
def kept(unchanged):
    """A host on which nothing may change, and which can be deployed to afterwards."""
    yield unchanged
    assert moments.lock_is_free(unchanged)
    assert command.run("status", unchanged).code == 0


def refused(host, checkout, cause):
    """Deploy what is wrong. The cause comes first in what is said about it."""
    ended = command.deploy_despite(host, checkout)
    assert ended.code == 1, ended.output[-4000:]
    said = ended.output.partition("not deployed: ")[2]
    assert cause in said.splitlines()[0], ended.output[-4000:]
    return ended.output


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        pytest.param(
            broken_deployments.pem_truncated,
            "can't load its RSA key",
            marks=pytest.mark.exhaustive,
            id="truncated",
        ),
        pytest.param(
            lambda _, folder: broken_deployments.put_new_key(folder),
            "the new RSA key is not the one in use",
            id="another",
        ),
        pytest.param(
            broken_deployments.pem_public, "it is a public key", marks=pytest.mark.exhaustive, id="public"
        ),
    ],
)
def test_a_wrong_key_stops_nothing(kept, tmp_path, change, cause):
    checkout, before = kept.copy(tmp_path / "checkout"), kept.container_ids()
    change({}, checkout)
    refused(kept, checkout, cause)
    assert kept.container_ids() == before


def wrong_tag(document, _):
    document["services"]["lago-front"]["image"] = "127.0.0.1:9/getlago/front:v99.0.0"


def wrong_password(_, variables):
    variables["POSTGRES_PASSWORD"] = "f3a9" * 8


@pytest.mark.parametrize(
    ("change", "cause"),
    [(wrong_tag, "the images could not be pulled"), (wrong_password, "could not log in to the database")],
    ids=["image that nobody has", "database password"],
)
def test_what_can_be_tried_before_stops_nothing(kept, tmp_path, change, cause):
    checkout, before = kept.copy(tmp_path / "checkout"), kept.container_ids()
    hosts.edit(checkout, change)
    refused(kept, checkout, cause)
    assert kept.container_ids() == before


def test_an_api_that_never_gets_healthy_is_replaced(kept, tmp_path):
    def never_healthy(document, _):
        document["services"]["lago-api"]["healthcheck"] = {
            "test": ["CMD", "false"],
            "interval": "1s",
            "retries": 2,
            "start_period": "0s",
        }
        document["services"]["lago-api"]["volumes"].append("added:/added")
        document["volumes"]["added"] = {}

    checkout = kept.copy(tmp_path / "checkout")
    hosts.edit(checkout, never_healthy)
    added = f"{kept.project}_added"
    try:
        said = refused(kept, checkout, "the new version did not")
        assert "lago-api is unhealthy" in said
        assert "The old version is running again, with all of its data and jobs." in said
        assert f"The new version made the volume {added}, which is kept" in said
    finally:
        docker("volume", "rm", "--force", added)


@pytest.mark.exhaustive
def test_a_dump_that_breaks_off_is_no_backup(kept, checkout):
    with moments.ahead_of("change_dump", moments.DUMP_BREAKS_OFF):
        refused(kept, checkout, "the database could not be dumped")
    [folder] = moments.folders(kept)
    assert not list((folder / "backup").glob("database.dump*"))


def finished(host):
    """How many jobs have ended without an error; a worker says so every ten seconds."""
    processed, failed = host.redis("MGET", "stat:processed", "stat:failed").split("\n")[:2]
    return int(processed) - int(failed or 0)


@pytest.mark.exhaustive
def test_a_worker_that_does_not_finish_is_not_killed(kept, checkout):
    with stream.busy_worker(kept):
        ended = command.deploy(kept, checkout, "--drain-seconds", "12")
        assert ended.code == 1, ended.output[-4000:]
        assert "the workers did not finish their jobs in time: still at work after 12 s" in ended.output
        assert "once it has finished: docker restart" in ended.output
        assert stream.waits(kept), "the job was killed"
        processed = finished(kept)
    assert until(lambda: finished(kept) > processed, PATIENCE)
    undone = command.run("rollback", kept)
    assert undone.code == 0, undone.output
    kept.sql("DELETE FROM customers WHERE external_id LIKE 'busy-%'")
