"""The commands api-key and admin-password, on a whole Lago with a gateway that Compose made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.clients.connection import through
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret
from tests.support.deploy.gateway import text_with

if TYPE_CHECKING:
    from tests.support.deploy.host import DeployableHost

pytestmark = [pytest.mark.stack, pytest.mark.docker]


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
    assert out.count("a key that Lago knows") == 2


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
