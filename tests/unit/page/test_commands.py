"""Commands that a reader copies: those that a fix names, and the one that looks again."""

from __future__ import annotations

import pytest

from lago_acceptance.page import commands
from tests.support import pages


@pytest.mark.parametrize(
    ("fix", "named"),
    [
        ("set LAGO_API_URL", []),
        ("look at Docker (the engine), and at git", []),
        ("deploy it (docker compose up -d), or pin the image by its digest", ["docker compose up -d"]),
        ("run `vault server` with a storage backend", ["vault server"]),
        ("chown root:root /opt/lago/key.pem", ["chown root:root /opt/lago/key.pem"]),
        ("read docker logs a", []),
        ("look with docker ps -a, then: docker volume rm NAME", ["docker volume rm NAME"]),
        ("ask again: dig a; otherwise (dig a)", ["dig a"]),
    ],
)
def test_a_command_is_found_in_prose(fix, named):
    assert commands.of_fix(fix) == named


@pytest.mark.parametrize(
    ("host", "changes", "command"),
    [
        ("root@a.example.com", {}, "lago-acceptance live ssh://root@a.example.com"),
        ("a", {"project": "lago two"}, "lago-acceptance live ssh://a --project 'lago two'"),
        ("a;reboot", {}, "lago-acceptance live 'ssh://a;reboot'"),
        ("this machine", {"target": "stack"}, "lago-acceptance smoke"),
    ],
)
def test_the_same_deployment_is_looked_at_again(host, changes, command):
    assert commands.look_again(pages.summary(host, **changes)) == command
