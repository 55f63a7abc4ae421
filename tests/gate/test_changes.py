"""What only a change can break: changes that break something, and changes that only look like it."""

from __future__ import annotations

import pytest

from lago_acceptance.composefile.loader import load
from lago_acceptance.core import settings
from lago_acceptance.core.findings import Finding
from lago_acceptance.core.resources import ROOT
from lago_acceptance.gate.engine import changes_of
from lago_acceptance.lago.upgrades import numbers
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
    "Lago goes from one patch to the next": ("list", ("v1.16.0 => v1.17.1",), ("v1.16.0 => v1.17.3",)),
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
    ("to", "stops"), [("v1.26.0", {"v1.25.0"}), ("v1.45.0", {"v1.25.0", "v1.29.0", "v1.44.0"})]
)
def test_a_jump_names_the_stops_in_order_and_the_commands_that_walk_them(to, stops, tmp_path):
    (finding,) = changed(tmp_path, "upgrade-skips-a-stop", "list", (), (f"v1.16.0 => {to}",))
    assert finding.severity == "error"
    assert f"from v1.16.0 straight to {to}" in finding.problem
    assert "fails at v1.26.0, halfway" in finding.impact
    assert f"lago-acceptance upgrade-path v1.16.0 {to} shows it" in finding.fix
    assert "lago-acceptance deploy HOST DIR --via walks it" in finding.fix
    named = (
        finding.fix.partition(": ")[0].removeprefix("stop at ").removesuffix(", in this order").split(", ")
    )
    assert stops <= set(named)
    assert named == sorted(named, key=numbers)


def test_a_jump_over_a_stop_that_no_migration_validates_is_an_error_that_does_not_threaten_with_one(tmp_path):
    change = ("list", ("v1.16.0 => v1.43.0",), ("v1.16.0 => v1.45.0",))
    (finding,) = changed(tmp_path, "upgrade-skips-a-stop", *change)
    assert finding.severity == "error"
    assert "v1.44.0" in finding.problem
    assert "the upgrade succeeds, but old data lack" in finding.impact
    assert "migration fails" not in finding.impact


@pytest.mark.parametrize(
    ("had", "has", "due", "impact"),
    [
        ("v1.25.0", "v1.26.0", "v1.25.0", "the migration fails at v1.26.0, halfway"),
        ("v1.44.0", "v1.45.0", "v1.44.0", "the upgrade succeeds, but old data stay incomplete"),
    ],
)
def test_what_may_have_run_already_is_a_warning_that_says_how_to_verify_it(had, has, due, impact, tmp_path):
    change = ("list", (f"v1.16.0 => {had}",), (f"v1.16.0 => {has}",))
    (finding,) = changed(tmp_path, "upgrade-skips-a-stop", *change)
    assert finding.severity == "warning"
    assert f"filled in at {due}" in finding.problem
    assert impact in finding.impact
    assert f"lago-acceptance upgrade-check HOST {has}" in finding.fix
    assert f"lago-acceptance upgrade-path {due} {has}" in finding.fix


def test_a_way_back_over_migrations_needs_the_dump_of_before(tmp_path):
    change = ("list", ("v1.16.0 => v1.26.0",), ("v1.16.0 => v1.16.0",))
    (finding,) = changed(tmp_path, "image-goes-back", *change)
    assert finding.severity == "error"
    assert (
        "back from v1.26.0 to v1.16.0, over 117 migrations, and the database doesn't go back"
        in finding.problem
    )
    assert "customers and subscriptions can't be created (500)" in finding.impact
    assert "lago-acceptance rollback HOST restores the dump" in finding.fix


@pytest.mark.parametrize(("had", "has"), [("v1.20.2", "v1.20.0"), ("v1.20.0", "v1.19.1")])
def test_a_way_back_without_a_change_of_the_schema_is_one_warning(had, has, tmp_path):
    (finding,) = changed(tmp_path, "image-goes-back", "list", (f"v1.16.0 => {had}",), (f"v1.16.0 => {has}",))
    assert finding.severity == "warning"
    assert "both have the same schema" in finding.problem


def test_a_way_back_over_a_migration_with_an_older_number_is_an_error(tmp_path):
    """v1.23.0 has two migrations more than v1.22.1, and the same newest one."""
    change = ("list", ("v1.16.0 => v1.23.0",), ("v1.16.0 => v1.22.1",))
    (finding,) = changed(tmp_path, "image-goes-back", *change)
    assert finding.severity == "error"


def test_a_key_file_that_a_newer_release_reads_is_told(tmp_path):
    volume = "files:/app/storage\\n => files:/app/storage\\n      - keys:/app/config/keys\\n ;; volumes:\\n  data: => volumes:\\n  keys:\\n  data:"
    edited = tuple(volume.split(" ;; "))
    (finding,) = changed(tmp_path, "rsa-key-changed", "list", edited, (*edited, "v1.16.0 => v1.23.0"))
    assert finding.severity == "warning" and "private.pem" in finding.problem


def test_every_rule_that_needs_a_base_is_tested():
    assert set(CHANGES) == set(change_rules())
