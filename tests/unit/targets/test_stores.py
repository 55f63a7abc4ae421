"""Stores that a file has elsewhere become containers of the run, under the same credentials and without TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from lago_acceptance.composefile.cli import Project
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core.urls import service_url
from lago_acceptance.targets.stack.mounts import Places
from lago_acceptance.targets.stack.overlay import overlay, verify
from lago_acceptance.targets.stack.stores import POSTGRES, REDIS_SERVER, Stores, stores_of

MANAGED = {
    "DATABASE_URL": "postgresql://meter:p%40ss@pg.cloud.example:25060/meter?sslmode=require&search_path=public",
    "REDIS_URL": "rediss://default:s3cret@redis.cloud.example:6380/2",
    "LAGO_REDIS_CACHE_URL": "rediss://default:s3cret@redis.cloud.example:6380/3",
}


def found(folder: Path, more: str = "", **environment: str) -> tuple[Stores, Project]:
    """The stores of a file with an API, and its project."""
    file = folder / "compose.yml"
    lines = "".join(f"      {name}: '{value}'\n" for name, value in environment.items())
    file.write_text(
        f"services:\n  api:\n    image: getlago/api:v1.16.0\n    environment:\n{lines}{more}", "utf-8"
    )
    project = Project(name="x", files=(file,))
    return stores_of(resolve(project).model, {"default": None}), project


def test_managed_stores_are_replaced(tmp_path):
    stores, _ = found(tmp_path, **MANAGED)
    assert set(stores.services) == {POSTGRES, REDIS_SERVER}
    changed = stores.extras["api"].environment
    database = service_url(changed["DATABASE_URL"])
    assert (database.host, database.port, database.password) == (POSTGRES, 5432, "p@ss")
    assert database.query == "search_path=public"
    made = stores.services[POSTGRES]["environment"]
    assert (made["POSTGRES_USER"], made["POSTGRES_PASSWORD"], made["POSTGRES_DB"]) == (
        "meter",
        "p@ss",
        "meter",
    )
    assert changed["REDIS_URL"] == f"redis://{REDIS_SERVER}:6379/2"
    assert changed["LAGO_REDIS_CACHE_URL"] == f"redis://{REDIS_SERVER}:6379/3"
    assert "s3cret" not in str(stores.services[REDIS_SERVER])
    assert [line.partition(" is elsewhere (")[2][:16] for line in stores.told] == [
        "pg.cloud.example",
        "redis.cloud.exam",
    ]
    assert stores.extras["api"].waits_for == (POSTGRES, REDIS_SERVER)


@pytest.mark.parametrize(
    "more",
    ["  db: {image: 'postgres:15'}\n  redis: {image: 'redis:7'}\n"],
)
def test_stores_of_the_file_stay(more, tmp_path):
    stores, _ = found(tmp_path, more, DATABASE_URL="postgres://a:b@db:5432/x", REDIS_URL="redis://redis:6379")
    assert stores == Stores()


def test_neither_sentinels_nor_a_password_are_used(tmp_path):
    stores, _ = found(
        tmp_path, **MANAGED, LAGO_REDIS_SIDEKIQ_SENTINELS="s1:26379,s2:26379", REDIS_PASSWORD="s3cret"
    )
    assert stores.extras["api"].environment["LAGO_REDIS_SIDEKIQ_SENTINELS"] == ""
    assert stores.extras["api"].environment["REDIS_PASSWORD"] == ""


def test_a_password_with_a_dollar_sign_is_none_of_composes(tmp_path):
    stores, project = found(
        tmp_path, DATABASE_URL="postgresql://meter:a$$b@pg.cloud.example/meter", REDIS_URL="redis://r.example"
    )
    networks: dict[str, str] = {}
    places = Places(tmp_path, tmp_path)
    text = overlay(resolve(project), {}, networks, places, stores.extras, stores.services).text
    changes = tmp_path / "overlay.yml"
    changes.write_text(text)
    made = verify(project.with_file(changes), networks, places, stores.extras).model
    (postgres,) = [each for each in made.services if each.name == POSTGRES]
    assert postgres.value("POSTGRES_PASSWORD") == "a$b"
    (api,) = [each for each in made.services if each.name == "api"]
    assert service_url(api.value("DATABASE_URL")).password == "a$b"


def test_a_url_that_leads_to_another_place_stays_what_it_is(tmp_path):
    other = "redis://elsewhere.cloud.example:6379"
    stores, _ = found(tmp_path, **{**MANAGED, "LAGO_REDIS_CACHE_URL": other})
    assert "LAGO_REDIS_CACHE_URL" not in stores.extras["api"].environment
    assert REDIS_SERVER in stores.extras["api"].environment["REDIS_URL"]
