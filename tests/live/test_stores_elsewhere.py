"""A Lago that was started by hand, whose PostgreSQL and Redis run elsewhere and take TLS alone: both are asked by Lago's own
URLs from inside its containers, and judged as if they were here."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from lago_acceptance.core.waiting import until
from lago_acceptance.facts.collect import observe
from lago_acceptance.facts.scripts import render
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from tests.support import suite_run
from tests.support.containers import OURS, docker
from tests.support.live import apart
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]

# What such a Lago really lacks, and what this repository's settings.toml says of another.
LACKS = {
    "no-pdf-service",
    "no-storage-volume",
    "service-missing",
    "wrong-network",
    "jobs-lost-at-stop",
    "worker-idle",
}


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apart.Apart]:
    with apart.up(tmp_path_factory.mktemp("apart")) as made:
        yield made


def seen(away: apart.Apart) -> Facts:
    host = SshHost(parse(away.server.url), away.server.ssh_config)
    try:
        return observe(host, project=away.container("api"))
    finally:
        host.close()


def run(away: apart.Apart, folder) -> suite_run.Result:
    # Another test's Lago may be beside it.
    named = ("--project", away.container("api"))
    return suite_run.run(folder, "-m", "smoke and phase2", *away.server.options, *named)


def test_everything_is_known_of_them(away, tmp_path):
    facts = seen(away)
    assert facts.project == away.container("api") and not facts.platforms
    assert {each.role for each in facts.containers} == {"migrate", "api", "worker", "clock"}
    api = facts.of_role("api")[0].id
    assert facts.elsewhere == {"db": api, "redis": api}
    found = facts.database
    assert found.complete and not facts.database_error
    assert found.migrations.count > 400 and found.structure and found.tables
    assert len(found.signs) > 20 and not [name for name, sign in found.signs.items() if sign.error]
    assert found.system == facts.process(facts.of_role("api")[0]).reached["DATABASE_URL"].answer
    assert facts.redis.policy == "noeviction" and not facts.redis.errors
    assert facts.redis.run_id == facts.process(facts.of_role("worker")[0]).reached["REDIS_URL"].answer
    [jobs] = [each for each in facts.redis.databases if each.number == 1]
    assert [each.info.hostname for each in jobs.processes] == [facts.of_role("worker")[0].hostname]
    result = run(away, tmp_path)
    assert result.red() <= LACKS, result.output
    reasons = [each["reason"] for each in result.summary["checks"] if each["outcome"] == "unknown"]
    assert any("PostgreSQL runs at postgres.managed.test" in each for each in reasons)
    assert any("the containers were started without Compose" in each for each in reasons)
    text = result.output + (result.reports / "summary.json").read_text()
    assert apart.PASSWORD not in text and apart.REDIS_PASSWORD not in text


def test_the_answers_are_those_of_psql(away):
    """The same SQL, asked by psql inside of the server."""
    sql = render.script("database.sql", whole=False)
    asked = ("docker", "exec", "-i", away.container("db"), "psql", "-XqAt", "-U", "lago", "-d", "lago")
    of_psql = _printed(*asked, given=sql)
    script = render.script("elsewhere.rb")
    of_lago = _printed(
        "docker", "exec", "-i", away.container("api"), "ruby", "-e", script, "database", "1", given=sql
    )
    own = {"connections", "clients", "transactions", "holders", "about"}

    def lasting(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.partition("\t")[0] not in own]

    assert lasting(of_lago) == lasting(of_psql) and len(lasting(of_lago)) >= 4
    assert {line.partition("\t")[0] for line in of_lago.splitlines()} >= own


def test_a_statement_that_fails_leaves_the_others_alone(away):
    sql = (
        "\\set name 'x'\nBEGIN;\nSELECT 1/0;\n\\if :ERROR\nSELECT 'failed' || E'\\t' || :'LAST_ERROR_MESSAGE';\n\\else\n"
        "SELECT 'never';\n\\endif\nSELECT 7 AS seven, 'a;b' AS text \\gset\n-- no; statement\n"
        "SELECT :'name' || :seven || :'text' || ':seven'::text || $$;:x$$;\nROLLBACK;\n"
    )
    script = render.script("elsewhere.rb")
    printed = _printed(
        "docker", "exec", "-i", away.container("api"), "ruby", "-e", script, "database", "1", given=sql
    )
    assert printed.splitlines() == [
        "ERROR:  division by zero",
        "failed\tdivision by zero",
        "x7a;b:seven;:x",
    ]


def test_a_fault_in_them_is_red(away, tmp_path):
    away.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    away.sql("ALTER DATABASE lago SET default_transaction_read_only = on")
    try:
        result = run(away, tmp_path)
    finally:
        away.sql("ALTER DATABASE lago RESET default_transaction_read_only")
        away.redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert {"redis-evicts", "database-read-only"} <= result.red(), result.output
    assert 'redis-cli -u "$REDIS_URL" CONFIG SET' in result.output


def test_a_password_that_is_no_longer_right_is_red(away):
    away.sql("ALTER ROLE lago PASSWORD 'another'")
    try:
        facts = seen(away)
    finally:
        away.sql(f"ALTER ROLE lago PASSWORD '{apart.PASSWORD}'")
    assert facts.database is None and "password authentication failed" in facts.database_error
    assert apart.PASSWORD not in facts.database_error


def test_a_redis_is_found_by_its_sentinels(away):
    conf = (
        "port 0\ntls-port 26379\ntls-replication yes\ntls-auth-clients no\ntls-ca-cert-file /tls/server.crt\n"
        "tls-cert-file /tls/server.crt\ntls-key-file /tls/server.key\n"
        f"sentinel monitor jobs {away.address('redis')} 6379 1\nsentinel auth-pass jobs {apart.REDIS_PASSWORD}\n"
    )
    folder = away.folder / "sentinel"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "sentinel.conf").write_text(conf)
    (folder / "sentinel.conf").chmod(0o666)
    image = docker("inspect", "--format", "{{.Config.Image}}", away.container("redis"))
    volumes = (f"--volume={away.folder}/tls:/tls:ro", f"--volume={folder}:/sentinel")
    away.run(
        "sentinel",
        image,
        ("redis-server", "/sentinel/sentinel.conf", "--sentinel"),
        *volumes,
        "--network-alias=watch.test",
    )
    script, lua = render.script("elsewhere.rb"), render.script("sidekiq.lua")

    def asked(master: str) -> str:
        given = (
            "-e",
            "LAGO_REDIS_SIDEKIQ_SENTINELS=127.0.0.1:26379, watch.test:26379",
            "-e",
            f"LAGO_REDIS_SIDEKIQ_MASTER_NAME={master}",
        )
        words = (
            "docker",
            "exec",
            "-i",
            *given,
            away.container("api"),
            "ruby",
            "-e",
            script,
            "redis",
            "1",
            "",
        )
        return _printed(*words, given=lua)

    assert until(lambda: "redis_version:7" in asked("jobs"), PATIENCE / 4), asked("jobs")
    assert '"processes":[{' in asked("jobs")
    assert "the sentinel watch.test knows no master of the name others" in asked("others")


def test_stores_that_are_gone_are_one_red_each(away, tmp_path):
    """The last test here: Lago's processes have no stores then."""
    docker("stop", "--time", "1", away.container("db"), away.container("redis"))
    # Their names lead to a machine that takes no connection.
    names = (f"--network-alias={apart.DATABASE}", f"--network-alias={apart.REDIS}")
    others = (f"--label={label}={value}" for label, value in OURS.items())
    image = docker("inspect", "--format", "{{.Config.Image}}", away.container("redis"))
    away.run("nothing", image, ("sleep", "600"), *names, *others)
    result = run(away, tmp_path)
    assert "store-not-reached" in result.red(), result.output
    assert not result.red() & {"database-refuses-lago", "redis-refuses-lago"}, result.output


def _printed(*words: str, given: str) -> str:
    ended = subprocess.run(words, input=given, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return ended.stdout
