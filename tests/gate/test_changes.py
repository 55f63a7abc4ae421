"""What only a change can break: changes that break something, and changes that only look like it."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.loader import load
from lago_acceptance.core import settings
from lago_acceptance.core.findings import Finding
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
    "Lago goes on from a stop where nothing is due": (
        "list",
        ("v1.16.0 => v1.26.0",),
        ("v1.16.0 => v1.27.1",),
    ),
    "another number for the same release": ("list", ("v1.16.0 => v1.26.1",), ("v1.16.0 => v1.16.1",)),
    "the seeded key is the same in both variables": (
        "lago",
        (),
        ("getlago/api:v1.16.0 => getlago/api:v1.19.1",),
    ),
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
    "a tag that looks like a patch": ("upgrade-skips-a-stop", ("list", (), ("v1.16.0 => v1.16.1",))),
    "a version that nobody knows": ("upgrade-skips-a-stop", ("list", (), ("v1.16.0 => v9.9.9",))),
    "a step to what validates the data": (
        "upgrade-skips-a-stop",
        ("list", ("v1.16.0 => v1.25.0",), ("v1.16.0 => v1.26.0",)),
    ),
    "back over migrations": ("image-goes-back", ("list", ("v1.16.0 => v1.26.0",), ("v1.16.0 => v1.25.0",))),
    "back from a tag that looks older": (
        "image-goes-back",
        ("list", ("v1.16.0 => v1.16.1",), ("v1.16.0 => v1.17.0",)),
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


def changed(tmp_path, rule: str, base: str, before: tuple[str, ...], after: tuple[str, ...]) -> list[Finding]:
    old, new = (
        load(edits.write(tmp_path / name, base, edited), None)
        for name, edited in (("old", before), ("new", after))
    )
    return changes_of(change_rules()[rule], old, new, SETTINGS)


@pytest.mark.parametrize(
    ("to", "steps"),
    [
        ("v1.26.0", ["deploy v1.25.0", "PopulateFeesWithBillingEntityIdJob", "deploy v1.26.0"]),
        (
            "v1.45.0",
            [
                "deploy v1.25.0",
                "PopulateFeesWithBillingEntityIdJob",
                "deploy v1.29.0",
                "fill_organization_id",
                "deploy v1.32.0",
                "upgrade:perform_required_jobs",
                "deploy v1.42.0",
                "deploy v1.45.0",
            ],
        ),
    ],
)
def test_an_upgrade_is_told_step_by_step(to, steps, tmp_path):
    (finding,) = changed(tmp_path, "upgrade-skips-a-stop", "list", (), (f"v1.16.0 => {to}",))
    assert finding.severity == "error"
    at = [finding.fix.index(step) for step in steps]
    assert at == sorted(at)


def test_what_may_have_run_already_is_a_warning(tmp_path):
    change = ("list", ("v1.16.0 => v1.25.0",), ("v1.16.0 => v1.26.0",))
    (finding,) = changed(tmp_path, "upgrade-skips-a-stop", *change)
    assert finding.severity == "warning"


def test_a_way_back_without_migrations_is_a_warning_and_one_finding(tmp_path):
    (finding,) = changed(
        tmp_path, "image-goes-back", "list", ("v1.16.0 => v1.20.2",), ("v1.16.0 => v1.20.0",)
    )
    assert finding.severity == "warning"


def test_a_key_file_that_a_newer_release_reads_is_told(tmp_path):
    volume = "files:/app/storage\\n => files:/app/storage\\n      - keys:/app/config/keys\\n ;; volumes:\\n  data: => volumes:\\n  keys:\\n  data:"
    edited = tuple(volume.split(" ;; "))
    (finding,) = changed(tmp_path, "rsa-key-changed", "list", edited, (*edited, "v1.16.0 => v1.23.0"))
    assert finding.severity == "warning" and "private.pem" in finding.problem


def test_every_rule_that_needs_a_base_is_tested():
    assert set(CHANGES) == set(change_rules())
