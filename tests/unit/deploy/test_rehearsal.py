"""What a rehearsal says and refuses, and what its shell gives to Docker, without Docker."""

from __future__ import annotations

import pytest

from lago_acceptance.cli import suite
from lago_acceptance.core.exit_codes import USAGE
from lago_acceptance.deploy import rehearsal
from lago_acceptance.deploy.rehearsal import described, different
from lago_acceptance.deploy.room import GIB, MIB, lack
from tests.support.deploy.shell_program import Program


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


# --- what Docker is asked ---


@pytest.fixture
def started(program):
    for step in rehearsal.STEPS:
        ended = program.run(f"change_{step.name}")
        # No key comes out of this database.
        assert ended.returncode == 0 or step is rehearsal.START, ended.stdout + ended.stderr
    program.run("restored_key() { echo key; }; change_rehearse_start")
    return [words for words in program.asked if words[0] == "run"]


def test_the_network_has_no_way_out(program):
    program.run("change_rehearse_restore")
    [made] = [words for words in program.asked if words[:2] == ["network", "create"]]
    assert "--internal" in made
    # The host has an address on every other bridge, and on it what production publishes.
    assert "com.docker.network.bridge.inhibit_ipv4=true" in made
    assert made[-1] == program.settings["project"]


def test_only_database_redis_migrations_and_api_are_started(started):
    roles = [word.partition("=")[2] for words in started for word in words if "lago-acceptance.role=" in word]
    assert roles == ["db", "redis", "migrate", "api"]


def test_no_container_is_published_routed_or_unlimited(started, program):
    for words in started:
        assert not {"-p", "-P", "--publish", "--publish-all"}.intersection(words)
        assert not any(word.startswith(("-p=", "--publish")) for word in words)
        assert "traefik.enable=false" in words
        assert words[words.index("--network") + 1] == program.settings["project"]
        assert words.count("--network") == 1
        assert words[words.index("--dns") + 1] == "0.0.0.0"
        assert "--memory" in words
        assert words[words.index("--restart") + 1] == "no"


def test_files_of_the_host_are_mounted_read_only(started):
    mounts = [words[at + 1] for words in started for at, word in enumerate(words) if word == "--mount"]
    assert mounts == ["type=bind,source=/srv/my key.pem,target=/run/lago/key.pem,readonly"] * 2
    assert [word for words in started for word in words if word.startswith("/var/lib")] == []


def test_nothing_is_seeded_into_the_restored_data(started):
    [migrate] = [words for words in started if "lago-acceptance.role=migrate" in words]
    assert migrate[-4:] == ["bundle", "exec", "rails", "db:migrate"]


def test_no_password_is_an_argument(started, program):
    password = (program.here / "lago.env").read_text().partition("lago:")[2].partition("@")[0]
    assert len(password) == 32
    assert password not in program.calls.read_text()


# --- what Lago is given ---


@pytest.mark.parametrize("shell", ["sh", "bash --posix", "busybox sh"])
def test_no_url_leads_to_production(program, shell):
    program.settings["lago_environment"] = (
        "DATABASE_URL=postgres://lago:s3cret%2F@prod-db:5432/lago?pool=5\n"
        "EVENTS_DATABASE_URL=postgresql://x@prod-db/events\n"
        "REDIS_URL=redis://:s3cret@prod-redis:6379/0\n"
        "LAGO_REDIS_CACHE_URL=rediss://prod-redis:6380/3\n"
        "LAGO_REDIS_CACHE_PASSWORD=s3cret\n"
        "LAGO_CREATE_ORG=true\n"
        "LAGO_SMTP_ADDRESS=smtp.prod\nLAGO_USE_AWS_S3=true\nLAGO_AWS_S3_BUCKET=prod\nLAGO_USE_GCS=true\nLAGO_GCS_BUCKET=prod\n"
        "LAGO_LICENSE=prod\nLAGO_PDF_URL=http://prod-pdf\nLAGO_DATA_API_URL=http://prod\nSTRIPE_API_KEY=prod\nGOCARDLESS_CLIENT_ID=prod\n"
        "NANGO_SECRET_KEY=prod\nSENTRY_DSN=https://prod\nSEGMENT_WRITE_KEY=prod\nSIDEKIQ_EVENTS=true\nhttps_proxy=http://prod\n"
        "SECRET_KEY_BASE=kept = as it is"
    )
    ended = program.run("change_configuration", shell)
    assert ended.returncode == 0, ended.stderr
    lines = dict(line.split("=", 1) for line in (program.here / "lago.env").read_text().splitlines())
    assert lines.pop("SECRET_KEY_BASE") == "kept = as it is"
    assert lines.pop("DATABASE_URL") == lines.pop("EVENTS_DATABASE_URL")
    assert lines == {
        "REDIS_URL": "redis://rehearsal-redis:6379/0",
        "LAGO_REDIS_CACHE_URL": "redis://rehearsal-redis:6379/3",
        "LAGO_DISABLE_SEGMENT": "true",
    }
    assert "prod" not in (program.here / "lago.env").read_text()


def test_a_configuration_without_database_is_refused(program):
    program.settings["lago_environment"] = "REDIS_URL=redis://r:6379"
    ended = program.run("change_configuration")
    assert (ended.returncode, "no DATABASE_URL" in ended.stdout) == (1, True)


# --- dumps that can't be restored ---


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the dump is empty"),
        (b"\x1f\x8b\x08\x00rest", "not in PostgreSQL's custom format"),
        (b"--\n-- PostgreSQL database dump\n", "not in PostgreSQL's custom format"),
        (None, "there is no file"),
    ],
)
def test_a_file_that_is_no_dump_is_refused_before_anything_runs(program, tmp_path, content, said):
    dump = tmp_path / "database.dump"
    dump.unlink()
    if content is not None:
        dump.write_bytes(content)
    ended = program.run("ask_dump")
    assert (ended.returncode, said in ended.stdout) == (1, True)
    assert not program.calls.exists()


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("pg_restore: error: unsupported version (1.16) in file header", "newer PostgreSQL"),
        (
            'pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"',
            "newer PostgreSQL",
        ),
        ("pg_restore: error: could not read from input file: end of file", "is cut off"),
        (
            'pg_restore: error: could not execute query: ERROR:  extension "pg_partman" is not available',
            "lacks an extension",
        ),
        ('pg_restore: error: could not execute query: ERROR:  type "x" does not exist', 'type "x"'),
    ],
)
def test_the_cause_is_said_in_one_sentence(program, printed, said):
    (program.here / "said").write_text(f"{printed}\nCommand was: CREATE ...;\n\n")
    ended = program.run("dump_trouble")
    assert said in ended.stdout
    assert printed.partition("rror: ")[2] in ended.stdout
    assert ended.stdout.count("\n") == 1


# --- what is compared, and what a host lacks ---


def test_what_the_dump_lacks_is_said():
    expected = {"customers": "12", "plans": "3", "migrations": "408", "system_identifier": "7", "queued": "9"}
    assert list(different(expected, {**expected, "system_identifier": "8", "queued": "0"})) == []
    [said] = different(expected, {**expected, "customers": "11"})
    assert said.endswith("customers 12, restored 11")
    assert len(list(different(expected, {}))) == 3


def test_counts_are_described():
    values = {"customers": "2", "plans": "1", "migrations": "408", "latest_migration": "20241119110219"}
    assert described(values) == "2 customers, 1 plans; 408 migrations, the latest 20241119110219"


@pytest.mark.parametrize(
    ("dump", "database", "free", "memory", "said"),
    [
        (MIB, 10 * MIB, 21 * MIB, 2 * GIB, ""),
        (MIB, 10 * MIB, 21 * MIB - 1, 2 * GIB, "may need 21 MiB"),
        (MIB, 0, 20 * MIB, 2 * GIB, "may need 21 MiB"),
        (MIB, 10 * MIB, GIB, GIB - 1, "1023 MiB are available"),
        (MIB, 10 * MIB, GIB, GIB, ""),
    ],
)
def test_too_little_space_or_memory_is_said(dump, database, free, memory, said):
    found = lack(dump, database, free, memory)
    assert said in found if said else found == ""


# --- bad command lines ---


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such.dump"], "no-such.dump can't be read"),
        (["."], "can't be read"),
        ([__file__, "--dump-may-leave-the-host"], "is a file here"),
        (["local", "--env-file", "x"], "are for a dump here"),
        (["http://host"], "only ssh://"),
        ([], "HOST|DUMP"),
    ],
)
def test_a_bad_command_line_is_one_sentence(words, said, capsys):
    assert suite.main(["rehearse", *words]) == USAGE
    printed = capsys.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
