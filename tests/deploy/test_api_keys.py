"""The commands api-key and admin-password, on a whole Lago with a gateway that Compose made."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lago_acceptance.cli import ACCEPTED, NOT_ACCEPTED, suite
from lago_acceptance.clients.connection import through
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.core.resources import compose_binary
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret
from lago_acceptance.images.resolve import stand_in
from tests.support.containers import docker
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from tests.support.deploy.host import DeployableHost

pytestmark = [pytest.mark.stack, pytest.mark.docker]

COMPOSE_FILE = """
services:
  gateway:
    image: {image}
    entrypoint: [python3, -c, "import signal; signal.signal(15, lambda *given: exit()); signal.pause()"]
    env_file: .env
    networks: [lago]
networks:
  lago: {{external: true, name: {network}}}
"""


@dataclass
class Gateway:
    """A gateway beside Lago: a Compose project in a folder of its own, whose key is in its env file."""

    host: DeployableHost
    folder: Path

    @property
    def project(self) -> str:
        return f"{self.host.project}-other"

    @property
    def env_file(self) -> Path:
        return self.folder / ".env"

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"

    @property
    def container(self) -> str:
        return docker("ps", "-q", "--filter", f"label=com.docker.compose.project={self.project}")

    @property
    def key(self) -> str:
        """The key that the running container has."""
        return docker("exec", self.container, "printenv", "LAGO_API_KEY")

    def compose(self, *words: str) -> None:
        command = [compose_binary(), "-p", self.project, "--project-directory", self.folder, *words]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)

    def up(self) -> None:
        network = self.host.live.stack.network("gateway")
        (self.folder / "compose.yml").write_text(
            COMPOSE_FILE.format(image=stand_in("brain-gateway"), network=network)
        )
        key = self.host.live.stack.api_key.reveal()
        self.env_file.write_text(text_with(key))
        self.env_file.chmod(0o640)
        self.settings.write_text(
            f'{self.host.settings.read_text()}\n[gateway]\nenv_file = "{self.env_file}"\nvariable = "LAGO_API_KEY"\n'
            f'url_variable = "LAGO_API_URL"\nproject = "{self.project}"\nservice = "gateway"\n'
        )
        self.compose("up", "--detach", "--wait")


def text_with(key: str) -> str:
    return f"# gateway\nLAGO_API_URL=http://lago-api:3000/\nLAGO_API_KEY={key}\n"


@pytest.fixture
def gateway(deployable, tmp_path) -> Iterator[Gateway]:
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


def run(host: DeployableHost, settings: Path, command: str, *words: str) -> int:
    # The tests' ssh server reads all input before it runs a command, and a session goes on for as long as its input.
    return suite.main([command, "local", "--project", host.project, "--settings", str(settings), *words])


def status(host: DeployableHost, key: str) -> int:
    return (
        through(host.live.stack.public_view(), API)
        .ask("GET", "/api/v1/organizations", key=Secret(key))
        .status
    )


def test_the_list_compares_lagos_keys_with_the_gateways(deployable, gateway, capsys):
    assert run(deployable, gateway.settings, "api-key") == ACCEPTED
    out = capsys.readouterr().out
    assert f"the gateway's file {gateway.env_file}: " in out
    assert out.count("a key of Lago's") == 2


def test_a_rotation_replaces_the_key_in_lago_and_in_the_gateway(deployable, gateway, capsys):
    old, before = gateway.key, gateway.container
    words = ("--create", "--give", "--restart", "--revoke-old")
    assert run(deployable, gateway.settings, "api-key", *words) == ACCEPTED
    out, new = capsys.readouterr().out, gateway.key
    assert gateway.container != before
    assert (status(deployable, old), status(deployable, new)) == (401, 200)
    assert gateway.env_file.read_text() == text_with(new)
    assert f"LAGO_API_KEY={new}" in (deployable.folder / ".env.lago").read_text().splitlines()
    assert "Lago refuses it, and accepts the gateway's key" in out
    assert old not in out and new not in out


def test_a_rotation_that_fails_leaves_the_old_key(deployable, gateway, capsys):
    old, text = gateway.key, gateway.env_file.read_text()
    compose_file = gateway.folder / "compose.yml"
    deaf = compose_file.read_text().replace("env_file: .env", "environment: {LAGO_API_KEY: another}")
    compose_file.write_text(deaf)
    words = ("--create", "--give", "--restart", "--revoke-old")
    assert run(deployable, gateway.settings, "api-key", *words) == NOT_ACCEPTED
    assert "the gateway runs with another LAGO_API_KEY than" in capsys.readouterr().err
    assert (gateway.env_file.read_text(), status(deployable, old)) == (text, 200)
    assert deployable.sql("SELECT count(*) FROM api_keys WHERE expires_at IS NULL") == "1"


def test_an_admins_password_is_set(deployable, tmp_path, capsys):
    email, old = deployable.live.stack.admin
    digest = deployable.sql(f"SELECT password_digest FROM users WHERE email = '{email}'")
    file = tmp_path / "password"
    file.write_text("a quite new pass$word\n")
    words = ("--email", email, "--password-file", str(file))
    try:
        assert run(deployable, deployable.settings, "admin-password", *words) == ACCEPTED
        assert f"{email} can log in with the new password" in capsys.readouterr().out
        graphql = GraphQL(through(deployable.live.stack.public_view(), API))
        assert graphql.login(email, Secret("a quite new pass$word")).organization
        with pytest.raises(LoginRefused):
            graphql.login(email, old)
    finally:
        deployable.sql(f"UPDATE users SET password_digest = '{digest}' WHERE email = '{email}'")
