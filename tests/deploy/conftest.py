"""The host that all tests of deploys share."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="package")
def _hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list]:
    """The host that is up, as the only one of a list: it is replaced when it can't be restored."""
    from tests.support.deploy import host

    hosts = [host.bring_up(tmp_path_factory.mktemp("deployable"))]
    yield hosts
    for each in hosts:
        each.down()


@pytest.fixture
def deployable(_hosts: list):
    """A host to deploy to, shared by tests that leave it as it was."""
    return _hosts[0]


@pytest.fixture
def breakable(_hosts: list, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A host to deploy to that the test may break: files and containers are put back, or a fresh host comes up."""
    from tests.support.deploy import host

    yield _hosts[0]
    try:
        _hosts[0].restore()
    except (AssertionError, OSError, subprocess.SubprocessError):
        _hosts.pop().down()
        _hosts.append(host.bring_up(tmp_path_factory.mktemp("deployable")))


@pytest.fixture
def unchanged(breakable) -> Iterator:
    """A host that must be as it was after the test: its files, its data, and jobs that wait."""
    job = json.dumps({"class": "WaitingJob", "jid": "0123456789abcdef", "args": [], "queue": "waiting"})

    def state() -> tuple:
        return (
            breakable.counts(),
            breakable.redis("LRANGE", "queue:waiting", "0", "-1"),
            breakable.sql("SELECT count(name) FROM customers"),
            breakable.files(),
        )

    breakable.put_data()
    # A queue that no worker serves.
    breakable.redis("SADD", "queues", "waiting")
    breakable.redis("LPUSH", "queue:waiting", job)
    try:
        before = state()
        yield breakable
        breakable.await_routes()
        assert state() == before
    finally:
        breakable.redis("DEL", "queue:waiting")
        breakable.redis("SREM", "queues", "waiting")


@pytest.fixture
def gateway(deployable, tmp_path: Path) -> Iterator:
    """A gateway beside the host, with the key that Lago was seeded with."""
    from tests.support.deploy.gateway import Gateway

    made = Gateway(deployable, tmp_path)
    original = deployable.live.stack.api_key.reveal()
    try:
        made.up()
        yield made
    finally:
        made.compose("down", "--timeout", "1")
        # Other tests use the key that Lago was seeded with.
        deployable.sql(
            f"DELETE FROM api_keys WHERE value <> '{original}'; UPDATE api_keys SET expires_at = NULL;"
        )
        shutil.copy2(deployable.live.folder / "original" / ".env.lago", deployable.folder / ".env.lago")
        shutil.rmtree(deployable.folder / ".lago-acceptance", ignore_errors=True)


@pytest.fixture
def checkout(breakable, tmp_path):
    """A folder to deploy from, with a change that recreates the API's container."""
    from tests.support.deploy import host

    def with_another_variable(document: dict, _: dict[str, str]) -> None:
        document["services"]["lago-api"]["environment"]["LAGO_DISABLE_SEGMENT"] = "yes"

    folder = breakable.copy(tmp_path / "checkout")
    host.edit(folder, with_another_variable)
    return folder


# --- rehearsals ---


@pytest.fixture(scope="module")
def lago(_hosts):
    """A Lago with a customer, a subscription, events and an invoice."""
    _hosts[0].put_data()
    return _hosts[0]


@pytest.fixture
def nothing_is_left(lago, tmp_path, monkeypatch):
    """Production runs on as before, and nothing of a rehearsal is left, in Docker or in a folder."""
    from lago_acceptance.core.waiting import until
    from tests.support.deploy.rehearsals import remains, started
    from tests.support.patience import PATIENCE

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = started(lago)
    yield
    assert until(lambda: not remains(), PATIENCE), remains()
    assert started(lago) == before
    assert [each.name for each in tmp_path.glob("lago-*")] == []


@pytest.fixture
def dump(lago):
    """A dump on the host, as a deploy leaves it, with what it holds; removed afterwards."""
    from lago_acceptance.deploy.session import STATE

    kept = lago.keep_dump()
    yield kept
    shutil.rmtree(kept.parents[1])
    assert list((lago.folder / STATE / "deploys").iterdir()) == []
