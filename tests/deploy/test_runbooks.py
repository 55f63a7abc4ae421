"""The runbooks do what they say: their commands are run in order, on a host that bills."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from lago_acceptance.clients.connection import through
from lago_acceptance.clients.graphql import GraphQL
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret
from tests.support import broken_deployments
from tests.support.containers import docker
from tests.support.deploy import host as hosts
from tests.support.deploy import runbook
from tests.support.patience import PATIENCE
from tests.support.standin.releases import tagged_releases

pytestmark = [pytest.mark.stack, pytest.mark.docker]

KEY_FILE = "lago_rsa_private.pem"


def variables(host: hosts.DeployableHost, folder: Path, **more: str) -> dict[str, str]:
    """What pages have their reader set."""
    return {"HOST": host.url, "FOLDER": str(host.folder), "DIR": str(folder / "checkout"), **more}


def followed(page: str, host: hosts.DeployableHost, folder: Path, before=None, **more: str) -> str:
    """What a page's commands print, all of which succeeded; every customer and invoice is still there."""
    counts = host.counts()
    ended = runbook.run(page, host, folder, variables(host, folder, **more), before)
    assert ended.code == 0, ended.output[-6000:]
    assert host.counts() == counts
    return ended.output


def value(folder: Path, name: str) -> str:
    lines = (folder / hosts.ENV_FILE).read_text().splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith(f"{name}="))


def public_half(file: Path) -> str:
    words = ["openssl", "pkey", "-in", str(file), "-pubout"]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout


def key_in_variables(folder: Path) -> None:
    """The key as the plan has it: base64 in the env file, and no file of its own."""
    text = base64.b64encode((folder / KEY_FILE).read_bytes()).decode()
    (folder / KEY_FILE).unlink()
    with (folder / hosts.ENV_FILE).open("a") as file:
        file.write(f"LAGO_RSA_PRIVATE_KEY={text}\n")


@pytest.mark.parametrize(
    ("page", "name"),
    [
        pytest.param("secret-key-base", "SECRET_KEY_BASE", marks=pytest.mark.exhaustive),
        pytest.param("encryption-keys", "LAGO_ENCRYPTION_PRIMARY_KEY", marks=pytest.mark.exhaustive),
    ],
)
def test_a_secret_is_replaced(breakable, tmp_path, page, name):
    checkout, old = breakable.copy(tmp_path / "checkout"), value(breakable.folder, name)
    followed(page, breakable, tmp_path)
    assert old != value(breakable.folder, name) == value(checkout, name)
    assert value(breakable.folder, name) in docker("exec", breakable.container("lago-api"), "printenv", name)


@pytest.mark.exhaustive
def test_the_databases_password_is_changed(breakable, tmp_path):
    checkout, old = breakable.copy(tmp_path / "checkout"), value(breakable.folder, "POSTGRES_PASSWORD")
    try:
        printed = followed("database-password", breakable, tmp_path)
        new = value(breakable.folder, "POSTGRES_PASSWORD")
        assert old != new == value(checkout, "POSTGRES_PASSWORD")
        assert f":{new}@" in docker("exec", breakable.container("lago-api"), "printenv", "DATABASE_URL")
        assert new not in printed and old not in printed
    finally:
        breakable.sql(f"ALTER USER lago PASSWORD '{old}'")


def test_the_rsa_key_is_replaced(breakable, tmp_path):
    checkout, old = breakable.copy(tmp_path / "checkout"), public_half(breakable.folder / KEY_FILE)
    followed("rsa-key", breakable, tmp_path)
    assert old != public_half(breakable.folder / KEY_FILE) == public_half(checkout / KEY_FILE)


def test_the_rsa_key_is_extracted(deployable, tmp_path):
    # Compose finds the containers by the project that the compose file names, from any folder.
    there = deployable.copy(tmp_path / "there")
    key_in_variables(there)
    before = deployable.container_ids()
    followed("extract-key", deployable, tmp_path, FOLDER=str(there))
    assert public_half(tmp_path / "checkout" / KEY_FILE) == public_half(deployable.folder / KEY_FILE)
    assert deployable.container_ids() == before


@pytest.mark.exhaustive
def test_a_deployment_of_the_plan_is_deployed_to(breakable, tmp_path):
    shipped, old = breakable.copy(tmp_path / "shipped"), public_half(breakable.folder / KEY_FILE)

    def as_planned(document, _):
        broken_deployments.without_mounted_key(document)
        for name in broken_deployments.RUBY_SERVICES:
            service = document["services"].get(name)
            service["environment"]["LAGO_RSA_PRIVATE_KEY"] = "${LAGO_RSA_PRIVATE_KEY}"
            service["depends_on"].pop("lago-pdf", None)
        for name in ("lago-clock", "lago-pdf"):
            del document["services"][name]

    key_in_variables(breakable.folder)
    hosts.edit(breakable.folder, as_planned)
    (breakable.folder / "rsa_key.rb").unlink()
    breakable.up()
    breakable.await_routes()
    followed("first-deploy", breakable, tmp_path, SHIPPED=str(shipped))
    assert public_half(breakable.folder / KEY_FILE) == old
    assert {"lago-clock", "lago-pdf"} <= breakable.container_ids().keys()


@pytest.mark.exhaustive
def test_an_upgrade_is_checked_rehearsed_and_deployed(breakable, tmp_path):
    old, new = "v1.16.0", "v1.25.0"
    settings = breakable.settings.read_text()
    with tagged_releases() as tagged:
        checkout = breakable.copy(tmp_path / "checkout")
        for folder in (checkout, breakable.folder):
            hosts.edit(folder, hosts.running(tagged.api(old)))
        image = tagged.api(new)
        breakable.up()
        breakable.await_routes()
        breakable.put_data()
        fees = int(breakable.sql("SELECT count(*) FROM fees"))
        breakable.keep_dump()
        breakable.dump(tmp_path / "before.dump")
        expects = f"sed -i 's/version = \"{old}\"/version = \"{new}\"/' '{breakable.settings}'"
        try:
            printed = followed("upgrade", breakable, tmp_path, {"Upgrade": expects}, OLD=old, NEW=new)
            assert f"from {old} to {new}: {new}" in printed
            # Each fee's organization and billing entity.
            assert f"{new}: {2 * fees} rows filled in within" in printed
            running = docker("inspect", "--format", "{{.Config.Image}}", breakable.container("lago-worker"))
            assert running.strip() == image
            assert image in (checkout / hosts.COMPOSE_FILE).read_text()
        finally:
            breakable.settings.write_text(settings)
            breakable.return_to(tmp_path / "before.dump")


@pytest.mark.exhaustive
def test_a_deployment_moves_with_all_data(breakable, tmp_path):
    name, label = breakable.put_data(), f"label=com.docker.compose.project={breakable.project}"
    another_host = f"""
docker ps -aq --filter {label} | xargs docker rm -f >/dev/null
docker volume ls -q --filter {label} | xargs docker volume rm >/dev/null
rm -rf '{breakable.folder}'
"""
    before = {"Fill the new host": another_host}
    followed("move", breakable, tmp_path, before, OLD=breakable.url, NEW=breakable.url)
    assert breakable.client().count("invoices", external_customer_id=name, status="finalized") == 1


def test_a_dump_is_restored(breakable, tmp_path):
    name = breakable.put_data()
    counts, dump = breakable.counts(), breakable.keep_dump()
    breakable.sql("DELETE FROM events; UPDATE customers SET name = 'damaged'")
    databases = "SELECT datname FROM pg_database WHERE datname LIKE 'lago_until_%'"
    try:
        ended = runbook.run("restore", breakable, tmp_path, variables(breakable, tmp_path, DUMP=str(dump)))
        assert ended.code == 0, ended.output[-6000:]
        assert breakable.counts() == counts
        assert breakable.sql(f"SELECT name FROM customers WHERE external_id = '{name}'") == name
        assert breakable.client().count("invoices", external_customer_id=name, status="finalized") == 1
        assert f"the database of before is kept as {breakable.sql(databases)}\n" in ended.output
    finally:
        for each in breakable.sql(databases).split():
            docker("exec", breakable.container("lago-db"), "dropdb", "-U", "lago", each)


def test_an_administrators_password_is_set(deployable, tmp_path):
    email, _ = deployable.live.stack.admin
    digest = deployable.sql(f"SELECT password_digest FROM users WHERE email = '{email}'")
    (tmp_path / "new-password").write_text("another pass$word\n")
    try:
        followed("admin-password", deployable, tmp_path, EMAIL=email)
        assert GraphQL(through(deployable.live.stack.public_view(), API)).login(
            email, Secret("another pass$word")
        )
    finally:
        deployable.sql(f"UPDATE users SET password_digest = '{digest}' WHERE email = '{email}'")


def test_the_gateways_key_is_rotated(deployable, gateway, tmp_path):
    old = gateway.key
    ended = runbook.run(
        "api-key", deployable, tmp_path, variables(deployable, tmp_path), settings=gateway.settings
    )
    assert ended.code == 0, ended.output[-6000:]
    assert gateway.key != old
    assert ended.output.count("a key that Lago knows") == 4
    assert old not in ended.output and gateway.key not in ended.output
