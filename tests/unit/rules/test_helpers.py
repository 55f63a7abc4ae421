"""What rules have in common."""

from __future__ import annotations

import pytest

from lago_acceptance.core.roles import DB
from lago_acceptance.model.deployment import Model, Service
from lago_acceptance.rules.helpers.data_stores import default_directory, is_lagos


@pytest.mark.parametrize(
    ("image", "directory"),
    [
        ("postgres:14-alpine", "/var/lib/postgresql/data"),
        ("postgres:17.2", "/var/lib/postgresql/data"),
        ("postgres:18", "/var/lib/postgresql"),
        ("postgres:18.1-alpine", "/var/lib/postgresql"),
        ("postgres:18rc1", "/var/lib/postgresql"),
        ("postgres:19beta1-alpine", "/var/lib/postgresql"),
        ("postgres:18@sha256:00", "/var/lib/postgresql"),
        # A tag that is a digest of its own says nothing of the version.
        ("mirror.example/postgres:70f4d5db838e", "/var/lib/postgresql/data"),
        ("bitnami/postgresql:16", "/bitnami/postgresql"),
    ],
)
def test_the_data_directory_follows_from_the_image(image, directory):
    assert default_directory(Service(name="db", image=image, role=DB)) == directory


def test_a_store_that_no_url_of_lago_names_is_somebody_elses():
    def service(name: str, role: str, **environment: str) -> Service:
        return Service(name=name, image="", role=role, environment=environment)

    own, other = service("db", "db"), service("supabase-db", "db")
    api = service("api", "api", DATABASE_URL="postgresql://lago:x@db/lago")
    model = Model(observed=False, project="", services=(own, other, api))
    assert is_lagos(model, own) and not is_lagos(model, other)
    elsewhere = service("api", "api", DATABASE_URL="postgresql://lago:x@db.example.com/lago")
    assert not is_lagos(Model(observed=False, project="", services=(other, elsewhere)), other)
    missing = service("api", "api", DATABASE_URL="postgresql://lago:x@database/lago")
    assert is_lagos(Model(observed=False, project="", services=(other, missing)), other)
    assert is_lagos(Model(observed=False, project="", services=(other, service("api", "api"))), other)
