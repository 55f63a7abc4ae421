"""What a service is, by its image and command: what serves, and what only does one thing and ends."""

from __future__ import annotations

import subprocess

import pytest

from lago_acceptance.roles import as_shell_case, role_of

SERVICES = [
    ("getlago/api:v1.16.0", "./scripts/start.api.sh", "api"),
    ("getlago/api:v1.16.0", "", "api"),
    ("registry.corp:5000/getlago/api:v1", "bundle exec sidekiq", "worker"),
    ("getlago/api:v1.16.0", "bundle exec rails db:create db:migrate", "migrate"),
    ("getlago/api:v1.16.0", "bundle exec rails console", None),
    ("getlago/api:v1.27.0", "./scripts/generate.rsa.sh", None),
    ("postgres:14-alpine", "", "db"),
    ("postgres:14-alpine", "postgres -c max_connections=200", "db"),
    ("postgres:14-alpine", "sh -c pg_dump -h db -U lago lago", None),
]


@pytest.mark.parametrize(("image", "command", "role"), SERVICES)
def test_python_and_the_shell_agree_on_what_a_service_is(image, command, role):
    assert role_of(image, command) == role
    script = f'text="$1"\n{as_shell_case("text")}\nprintf %s "$role"'
    told = subprocess.run(
        ["sh", "-c", script, "sh", f"{image} {command} "], capture_output=True, text=True, check=True
    )
    assert told.stdout == (role or "")
