"""Rehearsed restores, with real dumps of a Lago that goes on running beside them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lago_acceptance.cli.suite import main
from lago_acceptance.core.exit_codes import ACCEPTED, NOT_ACCEPTED, USAGE
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.settings import load
from lago_acceptance.core.waiting import until
from lago_acceptance.deploy.rehearsal import PROJECT, Rehearsal
from lago_acceptance.deploy.rehearsal_source import of_deployment
from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.local import LocalHost
from tests.support.containers import docker
from tests.support.deploy.rehearsals import remains
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("nothing_is_left")]


def arguments(lago, what="", *more):
    """The command line of a rehearsal: of a file here, or of the host."""
    here = [what] if what else ["local", "--project", lago.project]
    return ["rehearse", *here, "--settings", str(lago.settings), *more]
    return ["rehearse", *here, "--settings", str(lago.settings), *more]


def by_ssh(lago, *more):
    """The same for the host as it is reached over ssh."""
    here = [lago.url, "--project", lago.project, "--ssh-config", str(lago.live.server.ssh_config)]
    return ["rehearse", *here, "--settings", str(lago.settings), *more]


# --- on the host ---


def test_the_hosts_newest_dump_is_rehearsed_beside_production(lago, dump, capsys):
    assert main(arguments(lago)) == ACCEPTED, capsys.readouterr()
    printed = capsys.readouterr().out
    assert f"{dump}" in printed
    assert "nothing leaves the host" in printed
    counted = lago.counts()
    for table in ("customers", "plans", "subscriptions", "invoices", "events"):
        assert f"{counted[table]} {table}" in printed
    assert counted["invoices"] > 0
    assert "10 checks" in printed
    assert "not judged, because a rehearsal doesn't run them: workers and clock" in printed
    assert lago.live.stack.api_key.reveal() not in printed


def test_a_rehearsal_reaches_nothing_and_nothing_reaches_it(lago, dump):
    seen = {}

    def look(line):
        if not line.startswith("asked the API"):
            return
        names = docker("ps", "-a", "--filter", f"name={PROJECT}", "--format", "{{.Names}}").split()
        seen["services"] = {re.sub(r".*-(lago-\w+)-1$", r"\1", name) for name in names}
        [api] = [name for name in names if name.endswith("lago-api-1")]
        show = "{{json .HostConfig.PortBindings}} {{json .NetworkSettings.Ports}} {{json .Config.Labels}}"
        seen["containers"] = [docker("inspect", "--format", show, name) for name in names]
        network = api.removesuffix("-lago-api-1")
        seen["internal"] = docker("network", "inspect", "--format", "{{.Internal}}", network)
        address = docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}",
            lago.container("lago-api"),
        ).split()  # fmt: skip
        words = ["docker", "exec", api, "curl", "-s", "--max-time", "3"]
        seen["way out"] = [
            subprocess.run([*words, f"http://{each}:3000/health"], check=False, timeout=PATIENCE).returncode
            for each in address
        ]
        seen["variables"] = docker("exec", api, "env")

    assert rehearsal(lago, dump, look).run() == []
    assert seen["services"] == {"lago-db", "lago-redis", "lago-migrate", "lago-api"}
    assert seen["internal"] == "true"
    for container in seen["containers"]:
        assert "HostPort" not in container
        assert '"traefik.enable":"false"' in container
    assert seen["way out"]
    assert 0 not in seen["way out"]
    assert "@rehearsal-db:5432" in seen["variables"]
    assert "lago-redis" not in seen["variables"]


def rehearsal(lago, dump, say):
    """A rehearsal on this machine as a host."""
    host = LocalHost()
    settings = load(lago.settings)
    facts = observe(host, project=lago.project)
    return Rehearsal(
        host=host,
        permit=Permit("test"),
        settings=settings,
        directory=str(lago.folder),
        dump=str(dump),
        source=of_deployment(host, facts, ""),
        say=say,
    )


def test_a_dump_that_holds_less_than_was_counted_is_refused(lago, dump, capsys):
    with (dump.parent / "identity").open("a") as file:
        file.write("customers\t4711\n")
    assert main(arguments(lago)) == NOT_ACCEPTED
    assert "customers 4711, restored " in capsys.readouterr().out


def test_a_host_without_a_dump_learns_how_to_make_one(lago, capsys):
    assert main(arguments(lago)) == USAGE
    assert "pg_dump -Fc" in capsys.readouterr().err


def test_a_killed_rehearsal_is_removed_by_the_host(lago, dump):
    process = subprocess.Popen(
        [sys.executable, "-m", "lago_acceptance", *arguments(lago)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    with process:
        for line in process.stdout:
            if line.startswith("migrating"):
                break
        assert remains()
        process.send_signal(signal.SIGKILL)
    assert until(lambda: not remains(), PATIENCE), remains()
    [left] = [each for each in dump.parents[2].iterdir() if each != dump.parents[1]]
    assert until(lambda: (left / "journal").read_text().rstrip().endswith("undone\t-"), PATIENCE)
    assert list(left.glob("*.env")) == []
    subprocess.run(["rm", "-rf", str(left)], check=True)


# --- a dump here ---


@pytest.mark.exhaustive
def test_a_dump_that_may_leave_the_host_is_rehearsed_here(lago, dump, capsys):
    assert main(arguments(lago, "", "--dump-may-leave-the-host")) == ACCEPTED, capsys.readouterr()
    printed = capsys.readouterr().out
    assert "it leaves the host: customers' names" in printed
    assert "copied 0.1 of 0.1 MiB; its SHA-256 agrees" in printed
    assert "a stand-in runs in its place" in printed


@pytest.mark.exhaustive
def test_a_dump_here_is_compared_with_what_was_counted_beside_it(lago, dump, capsys):
    (dump.parent / "identity").write_text("customers\t4711\n")
    assert main(arguments(lago, str(dump))) == NOT_ACCEPTED
    assert "customers 4711" in capsys.readouterr().out


@pytest.fixture
def altered(lago, tmp_path):
    """Call it with SQL: a dump of Lago's database after that. Production keeps its own."""
    made = []

    def make(sql):
        made.append(f"altered_{len(made)}")
        whole = tmp_path / "whole.dump"
        lago.dump(whole)
        database = lago.container("lago-db")
        docker("exec", database, "createdb", "-U", "lago", "-T", "template0", made[-1])
        with whole.open("rb") as file:
            words = ["docker", "exec", "-i", database, "pg_restore", "-U", "lago", "-d", made[-1]]
            subprocess.run(words, stdin=file, check=True, timeout=PATIENCE)
        docker("exec", database, "psql", "-X", "-q", "-U", "lago", "-d", made[-1], "-c", sql)
        path = tmp_path / "altered.dump"
        lago.dump(path, made[-1])
        return path

    yield make
    for name in made:
        docker("exec", lago.container("lago-db"), "dropdb", "-U", "lago", name)


@pytest.mark.exhaustive
def test_a_migration_that_fails_is_said_with_its_cause(lago, altered, capsys):
    # The newest migration runs again on what it has changed already.
    path = altered("DELETE FROM schema_migrations WHERE version = '20241107093418'")
    assert main(arguments(lago, str(path))) == NOT_ACCEPTED
    printed = capsys.readouterr().out
    assert "the restored database could not be migrated: " in printed
    assert "PG::" in printed.partition("could not be migrated: ")[2].splitlines()[0]


@pytest.mark.exhaustive
def test_a_database_nobody_can_use_is_refused(lago, altered, capsys):
    path = altered("UPDATE api_keys SET expires_at = now() - interval '1 day'")
    assert main(arguments(lago, str(path))) == NOT_ACCEPTED
    assert "holds no valid API key" in capsys.readouterr().out


def test_a_dump_of_another_database_is_refused(lago, tmp_path, capsys):
    path = tmp_path / "other.dump"
    lago.dump(path, "postgres")
    assert main(arguments(lago, str(path))) == NOT_ACCEPTED
    assert "it is not one of Lago's database" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[: len(content) * 2 // 3], "is cut off"),
        (lambda content: content[:6] + b"\x7f" + content[7:], "newer PostgreSQL"),
    ],
    ids=["cut off", "of a newer PostgreSQL"],
)
def test_a_damaged_dump_is_refused(lago, dump, tmp_path, capsys, damage, said):
    path = Path(tmp_path / "damaged.dump")
    path.write_bytes(damage(dump.read_bytes()))
    assert main(arguments(lago, str(path))) == NOT_ACCEPTED
    assert said in capsys.readouterr().out


def test_an_image_that_nobody_has_starts_nothing(lago, dump, capsys):
    assert main(arguments(lago, "", "--image", "localhost:1/getlago/api:v99")) == 6
    assert "can't be pulled" in capsys.readouterr().err


@pytest.mark.exhaustive
def test_an_old_dump_is_said_to_be_old(lago, dump, capsys):
    os.utime(dump, (0, 0))
    assert main(arguments(lago, str(dump))) == ACCEPTED
    assert "days old; what was billed since is not in it" in capsys.readouterr().out
