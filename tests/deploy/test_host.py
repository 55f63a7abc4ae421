"""The host that deploys are tested on is one that a live run accepts."""

from __future__ import annotations

import json

import pytest

from tests.support import suite_run
from tests.support.containers import docker
from tests.support.deploy import host as hosts

pytestmark = [pytest.mark.stack, pytest.mark.docker]

LABELS = "com.docker.compose.project"


def test_it_runs_from_the_folders_files(deployable):
    shown = docker("inspect", "--format", "{{json .Config.Labels}}", deployable.container("lago-api"))
    labels = json.loads(shown)
    assert labels[f"{LABELS}.working_dir"] == str(deployable.folder)
    assert labels[f"{LABELS}.config_files"] == str(deployable.folder / hosts.COMPOSE_FILE)


def test_a_live_run_accepts_it(deployable, tmp_path):
    result = suite_run.run(tmp_path, "-m", "smoke", *deployable.options)
    assert result.code == 0, result.output[-6000:]
    assert not result.red()


def test_data_are_put_and_counted(deployable):
    before = deployable.counts()
    deployable.put_data()
    after = deployable.counts()
    grown = {table: after[table] - before[table] for table in after}
    assert grown == {"customers": 1, "plans": 1, "subscriptions": 1, "invoices": 1, "events": 3}


def test_what_a_test_broke_is_put_back(breakable, tmp_path):
    checkout = breakable.copy(tmp_path / "checkout")
    hosts.edit(checkout, lambda document, _: document["services"]["lago-front"].pop("mem_limit"))
    original = (breakable.folder / hosts.COMPOSE_FILE).read_text()
    hosts.copy_files(checkout, breakable.folder)
    assert (breakable.folder / hosts.COMPOSE_FILE).read_text() != original
    docker("rm", "-f", breakable.container("lago-front"))
    breakable.restore()
    assert (breakable.folder / hosts.COMPOSE_FILE).read_text() == original
    assert breakable.container_ids().keys() >= {"lago-front", "lago-api", "lago-worker"}
