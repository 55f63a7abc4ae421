"""What a service is, by its image and command: what serves, and what only does one thing and ends."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from lago_acceptance.core.roles import role_of
from lago_acceptance.facts.scripts.render import roles_as_awk

SERVICES = [
    ("getlago/api:v1.16.0", "./scripts/start.api.sh", "api"),
    ("getlago/api:v1.16.0", "", "api"),
    ("registry.corp:5000/getlago/api:v1", "bundle exec sidekiq", "worker"),
    ("getlago/api:v1.16.0", "bundle exec rails db:create db:migrate", "migrate"),
    ("getlago/api:v1.16.0", "bundle exec rails console", None),
    ("getlago/api:v1.27.0", "./scripts/generate.rsa.sh", None),
    ("getlago/api:v1.16.0", "bundle exec rails s -b ::", "api"),
    ("registry.corp:5000/billing/lago", "bundle exec rails s -b ::", "api"),
    ("postgres:14-alpine", "", "db"),
    ("postgres", "", "db"),
    ("registry.corp:5000/redis", "redis-server --appendonly yes", "redis"),
    ("postgres:14-alpine", "postgres -c max_connections=200", "db"),
    ("postgres:14-alpine", "sh -c pg_dump -h db -U lago lago", None),
]


@pytest.mark.parametrize(("image", "command", "role"), SERVICES)
@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox awk"])
def test_python_and_the_hosts_script_agree_on_what_a_service_is(awk, image, command, role):
    assert role_of(image, command) == role
    if shutil.which(awk.split()[0]) is None:
        pytest.skip(f"{awk} is not on this machine")
    path, *arguments = command.split(" ") if command else [""]
    told = subprocess.run(
        [*awk.split(), roles_as_awk() + '{ printf "%s", role_of("-", $0) }'],
        input=f"{image} {path} {json.dumps(arguments, separators=(',', ':'))}",
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == (role or "")
