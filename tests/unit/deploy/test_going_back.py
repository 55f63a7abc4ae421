"""Going back to a backup without a dump: by image alone only while the schema is still the one of that time."""

from __future__ import annotations

import subprocess
from importlib.resources import files

import pytest

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import SETTINGS
from lago_acceptance.core.settings import load
from lago_acceptance.deploy import plan, rollback, state
from lago_acceptance.deploy.rollout import NotDeployed
from lago_acceptance.deploy.state import ACCEPTED, Event, HostState, PastDeploy
from lago_acceptance.hosts.local import LocalHost
from tests.support.deploy.planned import AT, facts_at, plan_of

HOST, PERMIT, OWN = LocalHost(), Permit("rollback"), load(SETTINGS)
KEPT = (Event(1, "begin", "keep"), Event(2, "done", "keep"), Event(3, ACCEPTED, "-"))
SHELL = files("lago_acceptance.deploy") / "shell"


class Begun(Exception):
    """The rollback was begun."""


def _schema(of: str) -> dict[str, str]:
    count, latest = AT[of]
    return {"migrations": str(count), "latest_migration": latest}


def _backup(id: str, schema: str = "", dump: int | None = None) -> PastDeploy:
    return PastDeploy(id, KEPT, dump=dump, schema=_schema(schema) if schema else {})


@pytest.fixture
def go_back(monkeypatch):
    """Calls rollback on a host with these backups, whose database has a schema and whose oldest backup is of v1.16.0."""

    def begin(*_):
        raise Begun

    def go(schema: str, *backups: PastDeploy) -> str:
        monkeypatch.setattr(state, "read", lambda *_: HostState("", backups))
        monkeypatch.setattr(plan, "read", lambda *_: plan_of("v1.16.0"))
        monkeypatch.setattr(rollback, "observe", lambda *_, **__: facts_at(schema))
        monkeypatch.setattr(rollback, "_contents", lambda *_: {})
        monkeypatch.setattr(rollback, "Rollout", begin)
        return rollback.rollback(HOST, PERMIT, OWN, to=backups[0].id)

    return go


@pytest.mark.parametrize(
    ("schema", "backup"),
    [
        ("v1.26.0", _backup("1", "v1.16.0", dump=9)),
        ("v1.16.0", _backup("1", "v1.16.0")),
        ("v1.16.0", _backup("1")),
    ],
)
def test_a_backup_with_a_dump_or_of_the_same_schema_is_returned_to(schema, backup, go_back):
    with pytest.raises(Begun):
        go_back(schema, backup)


@pytest.mark.parametrize("recorded", ["v1.16.0", ""])
def test_a_backup_without_a_dump_is_refused_once_the_schema_has_changed(recorded, go_back):
    with pytest.raises(NotDeployed) as refused:
        go_back("v1.26.0", _backup("1", recorded))
    said = str(refused.value)
    assert "The backup 1 has no dump" in said
    assert "525 migrations up to 20250425130412" in said
    assert "customers and subscriptions can't be created (500)" in said
    assert "docs/runbooks/restore.md" in said
    assert said.endswith("Nothing was changed.")


def test_a_newer_image_is_not_put_on_an_older_schema_either(go_back):
    """After a way back that has restored the older dump."""
    with pytest.raises(NotDeployed, match="480 migrations up to 20250402135038, then 525"):
        go_back("v1.25.0", _backup("1", "v1.26.0"))


def test_the_backup_that_has_the_data_of_that_time_is_named(go_back):
    backups = (
        _backup("1", "v1.16.0"),
        _backup("2", "v1.19.1", dump=9),
        _backup("3", "v1.16.0", dump=9),
        _backup("4", "v1.26.0", dump=9),
    )
    with pytest.raises(NotDeployed, match="lago-acceptance rollback HOST --to 3"):
        go_back("v1.26.0", *backups)


# --- on the host, where the database was down when it was looked at ---

PROGRAM = r"""
set -eu
tab='	'
here=$1 from_backup=$1/backup deploy_tag=tag database=lago
. "$2/dump.part.sh"
. "$2/return.part.sh"
fail() { echo "$*" && exit 1; }
db_container() { echo db; }
psql_in() { cat >/dev/null; cat "$here/now"; }
restore_dump() { echo restored; }
name_images() { echo images; }
change_return
"""


@pytest.fixture
def change_return(tmp_path):
    """Runs the step of the host's program: the database has the schema of v1.26.0."""
    (tmp_path / "backup").mkdir()
    (tmp_path / "now").write_text("525\n20250425130412\n")

    def run(**kept: str) -> tuple[int, list[str]]:
        for name, text in kept.items():
            (tmp_path / "backup" / name.replace("dump", "database.dump")).write_text(text)
        words = ["sh", "-c", PROGRAM, "sh", str(tmp_path), str(SHELL)]
        ended = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert not ended.stderr
        return ended.returncode, ended.stdout.splitlines()

    return run


def _text(schema: str) -> str:
    return "".join(f"{name}\t{value}\n" for name, value in _schema(schema).items())


def test_the_dump_is_restored_only_where_the_schema_differs(change_return):
    assert change_return(dump="PGDMP", identity=_text("v1.16.0")) == (0, ["restored", "images"])
    assert change_return(dump="PGDMP", identity=_text("v1.26.0")) == (0, ["images"])


def test_without_a_dump_the_host_refuses_another_schema_before_it_names_an_image(change_return):
    code, said = change_return(schema=_text("v1.16.0"))
    assert code == 1
    assert said == [
        "that backup has no dump, and the database's schema has changed since: its image alone on it stops billing"
    ]


def test_without_a_dump_the_images_come_back_on_the_same_schema(change_return):
    assert change_return(schema=_text("v1.26.0")) == (0, ["images"])
