"""The port that a container listens on, however it is given."""

from __future__ import annotations

import pytest

from lago_acceptance.lago.ports import listens_on
from lago_acceptance.model.deployment import Model, Mount, Service

POSTGRES, REDIS, LAGO = "postgres:14", "redis:7", "getlago/api:v1.16.0"


def port(image: str, role: str, *command: str, files: dict[str, str] | None = None, **given) -> int | None:
    service = Service(name="one", image=image, role=role, command=command, **given)
    return listens_on(service, Model(observed=False, project="lago", files=dict(files or {})))


@pytest.mark.parametrize(
    ("expected", "image", "role", "command", "environment"),
    [
        (5432, POSTGRES, "db", (), {}),
        (5432, POSTGRES, "db", ("-c", "shared_preload_libraries=pg_stat_statements"), {}),
        (5433, POSTGRES, "db", ("-p", "5433"), {}),
        (5433, POSTGRES, "db", ("postgres", "-c", "port=5433"), {}),
        (5433, POSTGRES, "db", ("postgres", "--port=5433"), {"PGPORT": "5434"}),
        (5433, POSTGRES, "db", ("sh", "-c", "exec docker-entrypoint.sh postgres -p 5433"), {}),
        (5433, POSTGRES, "db", (), {"PGPORT": "5433"}),
        (5433, "bitnami/postgresql:14", "db", (), {"POSTGRESQL_PORT_NUMBER": "5433"}),
        (6379, REDIS, "redis", ("redis-server", "--appendonly", "yes"), {}),
        (6380, REDIS, "redis", ("--port", "6380"), {}),
        (6380, REDIS, "redis", ("sh", "-c", 'redis-server --requirepass "$PASSWORD" --port 6380'), {}),
        (6380, "bitnami/redis:7", "redis", (), {"REDIS_PORT_NUMBER": "6380"}),
        (None, REDIS, "redis", ("redis-server", "/etc/redis.conf"), {}),
        (None, REDIS, "redis", ("redis-server", "--port", "0", "--tls-port", "6380"), {}),
        (3000, LAGO, "api", (), {}),
        (3000, LAGO, "api", ("bundle", "exec", "rails", "s", "--pid", "tmp/one.pid"), {}),
        (4000, LAGO, "api", ("./scripts/start.api.sh",), {"PORT": "4000"}),
        (4000, LAGO, "api", ("bash", "-c", "export PORT=4000; exec ./scripts/start.api.sh"), {}),
        (4000, LAGO, "api", ("bundle", "exec", "rails", "s", "-b", "::", "-p4000"), {}),
        (4000, LAGO, "api", ("bundle", "exec", "puma", "-b", "tcp://0.0.0.0:4000"), {"PORT": "3000"}),
        (None, LAGO, "api", ("./scripts/start.api.sh",), {"PORT": "given-at-deploy-port"}),
        (None, LAGO, "worker", ("./scripts/start.worker.sh",), {}),
        (80, "getlago/front:v1.16.0", "front", (), {}),
        (3000, "gotenberg/gotenberg:8", "pdf", (), {}),
        (4444, "gotenberg/gotenberg:8", "pdf", ("gotenberg", "--api-port=4444"), {}),
    ],
)
def test_a_port_is_found_however_it_is_given(expected, image, role, command, environment):
    assert port(image, role, *command, environment=environment) == expected


@pytest.mark.parametrize(
    ("expected", "text"),
    [(8080, "server {\n  listen 8080;\n}"), (None, "listen 80;\nlisten 81;"), (None, "")],
)
def test_the_fronts_port_is_that_of_its_own_nginx_configuration(expected, text):
    mount = Mount("bind", "/srv/front.conf", "/etc/nginx/conf.d/default.conf")
    files = {"/srv/front.conf": text}
    assert port("getlago/front:v1.16.0", "front", mounts=(mount,), files=files) == expected


def test_redis_own_configuration_file_is_read():
    mount = Mount("bind", "/srv/redis.conf", "/etc/redis.conf")
    command = ("redis-server", "/etc/redis.conf")
    files = {"/srv/redis.conf": "appendonly yes\nport 6380\n"}
    assert port(REDIS, "redis", *command, mounts=(mount,), files=files) == 6380
    assert (
        port(REDIS, "redis", *command, mounts=(mount,), files={"/srv/redis.conf": "appendonly yes"}) == 6379
    )
