"""What only a change can break: changes that break something, and changes that only look like it."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.loader import load
from lago_acceptance.core import settings
from lago_acceptance.core.resources import ROOT
from lago_acceptance.gate.engine import changes_of
from lago_acceptance.rules import change_rules
from tests.support import edits
from tests.support.gate import CHANGES

SETTINGS = settings.load(ROOT / "settings.toml")
VOLUME = "- data:/data/postgres"
WITHOUT_PGDATA = (f"- PGDATA=/data/postgres\\n => \\n ;; {VOLUME} => - data:/var/lib/postgresql/data").split(
    " ;; "
)
# Healthy file, its changes before, its changes after.
HARMLESS = {
    "a guard is added": ("list", ("${SECRET_KEY_BASE:?} => ${SECRET_KEY_BASE}",), ()),
    "a guard is taken out": ("list", (), ("${SECRET_KEY_BASE:?} => ${SECRET_KEY_BASE}",)),
    "a default is taken out": ("list", ("${SECRET_KEY_BASE:?} => ${SECRET_KEY_BASE:-@HEX64@}",), ()),
    "the database's directory moves together with its volume": ("list", (), tuple(WITHOUT_PGDATA)),
    "the volume is named as Compose names it": (
        "list",
        (),
        ("volumes:\\n  data: => volumes:\\n  data: {name: billing_data}",),
    ),
    "a less exact tag": ("list", (), ("redis:7.4.1 => redis:7",)),
    "a router for every entry point": (
        "list",
        (),
        ("- traefik.http.routers.front.entrypoints=websecure\\n => \\n",),
    ),
    "the database is renamed": (
        "list",
        (),
        (
            "db.billing.internal => postgres.billing.internal",
            "\\n  db:\\n => \\n  postgres:\\n",
            "\\n      db:\\n => \\n      postgres:\\n",
        ),
    ),
    "the file is moved, with what lies beside it": ("lago", (), ()),
    "the file is moved, and its project is called after the folder": ("shared", (), ()),
    "an inline key leaves the file": (
        "list",
        ("${LAGO_RSA_PRIVATE_KEY:?base64 of the PEM} => ${LAGO_RSA_PRIVATE_KEY:-@B64@}",),
        (),
    ),
    "Lago is upgraded": ("list", (), ("v1.16.0 => v1.17.0",)),
}
BREAKING = {
    "the data's folder in the volume": (
        "volume-moved",
        (
            "lago",
            (),
            ("POSTGRES_USER: lago => POSTGRES_USER: lago\\n      PGDATA: /var/lib/postgresql/data/14",),
        ),
    ),
    "a router is switched off": (
        "router-gone",
        ("list", (), ("@front - traefik.enable=true => - traefik.enable=false",)),
    ),
    "another external database": (
        "db-password-changed",
        ("shared", (), ("env: @postgres.internal => @pg2.internal",)),
    ),
}


def told(tmp_path, base: str, before: tuple[str, ...], after: tuple[str, ...]) -> set[str]:
    old, new = (
        load(edits.write(tmp_path / name, base, changed), None)
        for name, changed in (("old", before), ("new", after))
    )
    assert new.written.compose_error == ""
    return {id for id, rule in change_rules().items() if changes_of(rule, old, new, SETTINGS)}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_change_that_breaks_nothing_is_no_finding(name, tmp_path):
    assert told(tmp_path, *HARMLESS[name]) == set()


@pytest.mark.parametrize("name", BREAKING)
def test_a_change_that_breaks_something_is_told(name, tmp_path):
    rule, change = BREAKING[name]
    assert told(tmp_path, *change) == {rule}


def test_a_secret_that_leaves_the_file_is_a_warning(tmp_path):
    old, new = (
        load(edits.write(tmp_path / name, "list", changed), None)
        for name, changed in (("old", ("${SECRET_KEY_BASE:?} => @HEX64@",)), ("new", ()))
    )
    (finding,) = changes_of(change_rules()["secret-key-base-changed"], old, new, SETTINGS)
    assert finding.severity == "warning"


def test_every_rule_that_needs_a_base_is_tested():
    assert set(CHANGES) == set(change_rules())
