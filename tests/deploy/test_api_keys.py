"""The commands api-key and admin-password over ssh, with a Lago, a gateway that Compose made, and Docker."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lago_acceptance.cli import ACCEPTED, NOT_ACCEPTED, suite
from lago_acceptance.clients.connection import through
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.core.resources import compose_binary
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret
from tests.support.containers import docker
from tests.support.live import lago
from tests.support.patience import PATIENCE

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

    lago: lago.LiveLago
    folder: Path

    @property
    def project(self) -> str:
        return f"{self.lago.project}-other"

    @property
    def env_file(self) -> Path:
        return self.folder / ".env"

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

    def up(self, image: str, network: str, key: str) -> None:
        (self.folder / "compose.yml").write_text(COMPOSE_FILE.format(image=image, network=network))
        self.env_file.write_text(f"# gateway\nLAGO_API_URL=http://lago-api:3000/\nLAGO_API_KEY={key}\n")
        self.env_file.chmod(0o640)
        self.compose("up", "--detach", "--wait")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lago.LiveLago]:
    made = lago.bring_up(tmp_path_factory.mktemp("host"))
    yield made
    lago.take_down(made)


@pytest.fixture(scope="module")
def gateway(up, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway(up, tmp_path_factory.mktemp("gateway"))
    beside = f"{up.stack.gateway.project.name}-brain-gateway-1"
    image = docker("inspect", "-f", "{{.Config.Image}}", beside)
    made.up(image, up.stack.network("gateway"), up.stack.api_key.reveal())
    with (up.folder / "settings.toml").open("a") as settings:
        settings.write(
            f'\n[gateway]\nenv_file = "{made.env_file}"\nvariable = "LAGO_API_KEY"\nurl_variable = "LAGO_API_URL"\n'
            f'project = "{made.project}"\nservice = "gateway"\n'
        )
    yield made
    made.compose("down", "--timeout", "1")


def run(up: lago.LiveLago, command: str, *words: str) -> int:
    ways = ("--ssh-config", str(up.server.ssh_config), "--settings", str(up.folder / "settings.toml"))
    return suite.main([command, up.server.url, *ways, *words])


def status(up: lago.LiveLago, key: str) -> int:
    return through(up.stack.public_view(), API).ask("GET", "/api/v1/organizations", key=Secret(key)).status


def test_the_list_compares_lagos_keys_with_the_gateways(up, gateway, capsys):
    assert run(up, "api-key") == ACCEPTED
    out = capsys.readouterr().out
    assert f"the gateway's file {gateway.env_file}: " in out
    assert out.count("a key of Lago's") == 2


def test_a_rotation_is_interrupted_for_the_gateways_start_only(up, gateway, capsys):
    old, before = gateway.key, gateway.container
    started = time.monotonic()
    assert run(up, "api-key", "--create", "--give", "--restart", "--revoke-old") == ACCEPTED
    print(f"rotated in {time.monotonic() - started:.1f} s")
    out = capsys.readouterr().out
    new = gateway.key
    assert gateway.container != before
    assert (status(up, old), status(up, new)) == (401, 200)
    assert (
        gateway.env_file.read_text() == f"# gateway\nLAGO_API_URL=http://lago-api:3000/\nLAGO_API_KEY={new}\n"
    )
    assert "Lago refuses it, and accepts the gateway's key" in out
    assert old not in out and new not in out
    assert not [command for command in up.server.commands() if old in command or new in command]


def test_lago_seeds_the_new_key_from_then_on(up, gateway):
    directory = Path(up.stack.project.directory)
    assert f"LAGO_API_KEY={gateway.key}" in (directory / ".env.lago").read_text()


def test_a_rotation_that_fails_leaves_the_old_key(up, gateway, capsys):
    old, text = gateway.key, gateway.env_file.read_text()
    keys = up.sql("SELECT count(*) FROM api_keys WHERE expires_at IS NULL")
    broken = gateway.folder / "compose.yml"
    compose_file = broken.read_text()
    broken.write_text(compose_file.replace("env_file: .env", "environment: {LAGO_API_KEY: another}"))
    try:
        assert run(up, "api-key", "--create", "--give", "--restart", "--revoke-old") == NOT_ACCEPTED
    finally:
        broken.write_text(compose_file)
    assert "Everything is as it was." in capsys.readouterr().err
    gateway.compose("up", "--detach", "--wait")
    assert (gateway.key, gateway.env_file.read_text(), status(up, old)) == (old, text, 200)
    assert up.sql("SELECT count(*) FROM api_keys WHERE expires_at IS NULL") == keys


def test_an_admins_password_is_set(up, tmp_path, capsys):
    email, old = up.stack.admin
    file = tmp_path / "password"
    file.write_text("a quite new pass$word\n")
    assert run(up, "admin-password", "--email", email, "--password-file", str(file)) == ACCEPTED
    assert f"{email} can log in with the new password" in capsys.readouterr().out
    graphql = GraphQL(through(up.stack.public_view(), API))
    assert graphql.login(email, Secret("a quite new pass$word")).organization
    with pytest.raises(LoginRefused):
        graphql.login(email, old)
