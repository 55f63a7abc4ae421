"""A compose file that is nothing like the shipped one: judged by what it is, with variables and data of its own."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.targets.stack.mounts import Places
from lago_acceptance.targets.stack.overlay import overlay
from tests.support import suite_run
from tests.support.containers import docker
from tests.support.paths import DATA

FILE = DATA / "another_style.yml"
PASSED = {
    "test_lago_loads_its_key",
    "test_the_stack_came_up",
    "test_migrate_has_finished",
    "test_the_database_lets_lago_in_with_its_own_url",
    "test_the_schema_is_the_images",
    "test_each_service_runs_exactly_once",
    "test_every_service_is_up_and_healthy",
    "test_a_worker_is_alive_where_the_api_enqueues",
    "test_the_worker_has_finished_a_job",
    "test_the_clock_ticks",
    "test_health_is_lagos_and_of_the_expected_version",
    "test_the_front_tells_the_browser_the_apis_public_url",
}


def folder_of(parent: Path) -> Path:
    """The deployment in a folder of its own, with the variables of its deploy beside it."""
    folder = parent / "billing"
    (folder / "database").mkdir(parents=True)
    (folder / "docker-compose.yml").write_text(FILE.read_text())
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / ".env").write_text(
        f"DB_PASSWORD={secrets.token_hex(16)}\nSECRET_KEY_BASE={secrets.token_hex(64)}\n"
        f"LAGO_RSA_PRIVATE_KEY={base64.b64encode(key).decode()}\n"
    )
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The deployment's folder."""
    return folder_of(tmp_path_factory.mktemp("another"))


@pytest.fixture(scope="module")
def judged(folder: Path) -> suite_run.Result:
    """One run of phases 1 and 2 against it."""
    return suite_run.run(
        folder.parent / "reports",
        "-m",
        "smoke and (phase1 or phase2)",
        "--compose-file",
        str(folder / "docker-compose.yml"),
    )


@pytest.mark.stack
def test_what_works_is_seen_to_work(judged):
    assert set(judged.checks("passed")) >= PASSED, sorted(PASSED - set(judged.checks("passed")))


@pytest.mark.stack
def test_what_this_deployment_needs_and_lacks_is_red(judged):
    asked_for_by_phase_1 = {"rsa-key-not-mounted", "rsa-key-in-environment", "rsa-key-in-file"}
    assert judged.red() == {*asked_for_by_phase_1, "wrong-network"}
    assert "dokploy-network" in judged.finding("wrong-network")["problem"].split()


@pytest.mark.stack
def test_a_variable_that_nobody_sets_is_told(judged):
    told = next(
        line
        for line in judged.output.splitlines()
        if line.startswith("variables that are used but never set")
    )
    assert "LAGO_LICENSE" in told and "--env-file" in told and "DB_PASSWORD" not in told


@pytest.mark.stack
def test_the_machines_own_data_are_not_touched(folder, judged):
    assert list((folder / "database").iterdir()) == []
    assert docker("volume", "ls", "-q", "--filter", "name=jobs-of-production") == ""


def test_data_go_into_volumes_of_the_run(folder):
    project = Project(name="run", files=(folder / "docker-compose.yml",), env_files=(folder / ".env",))
    changes = folder.parent / "overlay.yml"
    changes.write_text(overlay(resolve(project), {}, {}, Places(folder, folder.parent)).text)
    made = resolve(project.with_file(changes)).document
    (database,) = made["services"]["db"]["volumes"]
    assert (database["type"], database["target"]) == ("volume", "/var/lib/postgresql/data")
    assert all(
        volume["name"].startswith("run_") and not volume.get("external")
        for volume in made["volumes"].values()
    )
    assert made["services"]["api"]["ports"][0].get("published") in (None, "", "0")


def test_without_the_deploys_variables_it_says_where_they_come_from(folder, suite):
    alone = folder.parent / "alone.yml"
    alone.write_text(FILE.read_text())
    refused = suite("-m", "smoke", "--compose-file", str(alone))
    assert refused.code == 4 and "Traceback" not in refused.output
    assert "DB_PASSWORD" in refused.output and "--env-file FILE" in refused.output
