"""Mistakes in the files of a new version: each is named, and the old version runs on with all of its data."""

from __future__ import annotations

import json

import pytest

from tests.support import broken_deployments
from tests.support.deploy import command, moments
from tests.support.deploy import host as hosts

pytestmark = [pytest.mark.stack, pytest.mark.docker]
JOB = json.dumps({"class": "WaitingJob", "jid": "0123456789abcdef", "args": [], "queue": "waiting"})


def whole(host):
    """What a deploy that does not stay leaves as it is."""
    return (
        host.counts(),
        host.redis("LRANGE", "queue:waiting", "0", "-1"),
        host.sql("SELECT count(name) FROM customers"),
    )


@pytest.fixture
def kept(breakable):
    """The host, with data and a job that waits in a queue which no worker serves."""
    breakable.put_data()
    breakable.redis("SADD", "queues", "waiting")
    breakable.redis("LPUSH", "queue:waiting", JOB)
    before, files = whole(breakable), {name: (breakable.folder / name).read_bytes() for name in hosts.FILES}
    yield breakable
    assert whole(breakable) == before
    assert {name: (breakable.folder / name).read_bytes() for name in hosts.FILES} == files
    assert moments.lock_is_free(breakable)
    breakable.await_routes()
    assert command.run("status", breakable).code == 0
    breakable.redis("DEL", "queue:waiting")
    breakable.redis("SREM", "queues", "waiting")


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
        (broken_deployments.pem_truncated, "can't load its RSA key"),
        (broken_deployments.pem_public, "it is a public key"),
        (lambda _, folder: broken_deployments.put_new_key(folder), "the new RSA key is not the one in use"),
    ],
    ids=["truncated", "public", "another"],
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
