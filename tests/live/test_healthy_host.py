"""A healthy live host: accepted, by few commands, and nothing is changed on it."""

from __future__ import annotations

import re
import shutil
import time

import pytest

from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.waiting import until
from lago_acceptance.facts.scripts import render
from tests.support import containers, suite_run
from tests.support.containers import docker
from tests.support.live import docker_recorder
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.stack, pytest.mark.docker]

# What a look may ask of Docker: reads, and commands inside of containers.
READS = re.compile(
    r"/(_ping|info|version|containers/json|containers/\w+/(json|logs)|images/\S+/json"
    r"|networks(/\w+)?|volumes|exec/\w+/json)"
)
EXECS = re.compile(r"/(containers/\w+/exec|exec/\w+/start)")
STATISTICS = """SELECT json_object_agg(relname, array[n_tup_ins, n_tup_upd, n_tup_del, n_tup_hot_upd] ORDER BY relname)
                FROM pg_stat_user_tables WHERE relname NOT IN ('api_keys')"""


COUNTED = (
    "(SELECT n_tup_ins - n_tup_del FROM pg_stat_user_tables WHERE relname = '{0}') = "
    "(SELECT count(*) FROM {0})"
)
PENDING = f"SELECT {COUNTED.format('charges')} AND {COUNTED.format('plans')}"


@pytest.fixture(scope="module")
def smoke(live_lago, sshd, tmp_path_factory):
    """A smoke run against the healthy host, watched: its result, Docker's requests, PostgreSQL's counters
    around it."""
    folder = tmp_path_factory.mktemp("watched")
    with docker_recorder.recording(folder / "docker.sock") as recorder:
        server = sshd(environment={"DOCKER_HOST": f"unix://{folder}/docker.sock"})
        # PostgreSQL counts a connection's writes when that has been idle for a while.
        assert until(lambda: live_lago.sql(PENDING) == "t", PATIENCE)
        before = live_lago.sql(STATISTICS)
        result = suite_run.run(folder / "reports", "-m", "smoke", *live_lago.options_for(server))
        after = live_lago.sql(STATISTICS)
    return result, recorder, server, before, after


def test_a_healthy_host_is_accepted(smoke):
    result = smoke[0]
    assert result.code == 0, result.output
    assert not result.red()
    assert len(result.checks("passed")) > 100
    assert not result.checks("blocked")
    # What would be unknown where the host tells less than it could.
    assert {
        "test_what_runs_is_what_the_files_say",
        "test_logs_are_rotated",
        "test_finalized_invoices_have_a_file",
    } <= set(result.checks("passed"))


def test_at_most_three_commands_go_to_the_host(smoke):
    assert 1 <= len(smoke[2].commands()) <= 3


def test_docker_is_only_read(smoke):
    recorder = smoke[1]
    assert ("GET", "/networks") in recorder.requests
    others = [
        (method, path)
        for method, path in recorder.requests
        if not (method in ("GET", "HEAD") and READS.fullmatch(path))
        and not (method == "POST" and EXECS.fullmatch(path))
    ]
    assert not others


def test_only_readings_are_run_in_containers(smoke):
    execs = smoke[1].execs
    assert len(execs) >= 6
    # `sh -s` is handed its text by the reading itself, which is compared below.
    known = ("sh -s", "psql", "redis-cli", "ruby", "wget", "curl", "python3", "getent", "env")
    assert [words for words in execs if not any(name in " ".join(words[:4]) for name in known)] == []
    # What reads the image's schema file names the statements that it looks for there.
    reader = (ROOT / "lago_acceptance" / "facts" / "scripts" / "schema_file.rb").read_text()
    text = " ".join(" ".join(words) for words in execs).replace(reader.strip(), "")
    assert "ADD CONSTRAINT" not in text
    assert not re.search(
        r"\b(INSERT|UPDATE|DELETE|DROP|ALTER|SET +key|FLUSHALL|LPUSH|rm -r?f?)\b|>+ */(?!dev/null)", text
    )


def test_shell_commands_are_the_readings(smoke):
    scripts = (ROOT / "lago_acceptance" / "facts" / "scripts").glob("*.sh")
    readings = {path.name: render.script(path.name) for path in scripts}
    ran = set()
    for script in smoke[2].inputs():
        text_of_it = script.removesuffix("\n} </dev/null\n")
        ran |= {name for name, text in readings.items() if text_of_it.endswith(text)} or {script}
        assert not re.search(
            r"docker (rm|stop|restart|start|run|create|kill|compose up|pull|network create)\b", script
        )
    assert "collect.sh" in ran and ran <= readings.keys()
    # The command itself is a shell with a deadline, and nothing else.
    for command in smoke[2].commands():
        assert re.fullmatch(r"echo 'lago-acceptance begins'; exec timeout -k 1 \d+ sh -s", command), command


def test_postgresql_counts_no_write(smoke):
    assert smoke[3] == smoke[4]


def test_no_secret_leaves_the_host(smoke, live_lago):
    secrets = [
        line.partition("=")[2]
        for line in (live_lago.folder / "deployment" / ".env.lago").read_text().splitlines()
        if re.match(
            r"(POSTGRES_PASSWORD|SECRET_KEY_BASE|LAGO_API_KEY|LAGO_ORG_USER_PASSWORD|LAGO_ENCRYPTION_\w+)=",
            line,
        )
    ]
    assert len(secrets) >= 5
    told = smoke[0].output + "".join(
        path.read_text("utf-8", "replace") for path in smoke[0].reports.rglob("*") if path.is_file()
    )
    assert not [secret for secret in secrets if secret in told]


def test_a_run_that_sees_nothing_is_no_pass(live_lago, tmp_path):
    result = suite_run.run(tmp_path, "-k", "test_the_last_dump_is_recent", *live_lago.options)
    assert result.code == 5, result.output


def test_the_next_run_compares_with_this_one(live_lago, tmp_path):
    chosen = ("-k", "test_no_job_has_died_since_the_last_look", *live_lago.options)
    first = suite_run.run(tmp_path, *chosen)
    assert "first run" in first.summary["checks"][0]["reason"] and first.code == 5
    live_lago.redis(
        "ZADD", "dead", str(time.time()), '{"class":"X","wrapped":"SendWebhookJob","error_message":"boom"}'
    )
    try:
        second = suite_run.run(tmp_path, *chosen, "--scheduled")
        third = suite_run.run(tmp_path, *chosen)
        live_lago.redis(
            "ZADD", "dead", str(time.time()), '{"class":"X","wrapped":"BillJob","error_message":"boom"}'
        )
        by_hand = suite_run.run(tmp_path, *chosen)
        night = suite_run.run(tmp_path, *chosen, "--scheduled")
        after = suite_run.run(tmp_path, *chosen)
    finally:
        live_lago.redis("ZREMRANGEBYSCORE", "dead", str(time.time() - 600), "+inf")
    assert second.red() == {"jobs-died"}
    assert "SendWebhookJob died since" in second.output
    assert third.code == 0, third.output
    for each in (by_hand, night):
        assert each.red() == {"jobs-died"} and "BillJob died since" in each.output
    assert [note for note in by_hand.summary["notes"] if note.startswith("new since the last run")]
    assert not night.summary["changed"] and night.summary["since"] == by_hand.summary["since"]
    assert after.code == 0 and after.summary["changed"]
    assert any(
        note.startswith("gone since the last run") and "jobs-died" in note for note in after.summary["notes"]
    )


def test_two_lago_stacks_need_a_name(live_lago, tmp_path):
    settings = tmp_path / "settings.toml"
    text = (live_lago.folder / "settings.toml").read_text()
    settings.write_text(re.sub(r'directory = ".*"', 'directory = "/nowhere"', text))
    given = live_lago.options[:-4] + ["--settings", str(settings), *live_lago.options[-2:]]
    network = live_lago.stack.network("gateway")
    name = f"{live_lago.project}-other"
    image = docker("inspect", "--format", "{{.Config.Image}}", live_lago.container("lago-redis"))
    labels = (
        "com.docker.compose.project=other",
        "com.docker.compose.project.working_dir=/srv/other",
        "lago-acceptance.role=api",
    )
    on_it = ("--network", network, "--network-alias", "lago-api", *(f"--label={label}" for label in labels))
    with containers.running(image, options=on_it, name=name):
        unnamed = suite_run.run(tmp_path / "1", "-m", "smoke and phase2", *given)
        named = suite_run.run(
            tmp_path / "2", "-m", "smoke and phase2", *given, "--project", live_lago.project
        )
    assert unnamed.code == 6, unnamed.output
    assert re.search(r"\d Lago stacks are on", unnamed.output) and "/srv/other" in unnamed.output
    assert "--project" in unnamed.output
    assert "two-lago-stacks" in named.red(), named.output
    # Its own containers are judged as before: what else is red is about the doubled name.
    assert named.red() <= {"two-lago-stacks", "lago-name-doubled", "duplicate-alias"}, named.red()


def test_a_host_without_the_project_ends_the_run_with_what_there_is(live_lago, tmp_path):
    result = suite_run.run(tmp_path, "-m", "smoke", *live_lago.options, "--project", "no-such-project")
    assert result.code == 6, result.output
    (told,) = [line for line in result.output.splitlines() if "not judged: no container of Lago on" in line]
    assert "belongs to the project no-such-project" in told
    assert f"{live_lago.project} (" in told and "--project NAME" in told
    assert not result.summary["checks"] and "Traceback" not in result.output
    assert any("no-such-project" in note for note in result.summary["notes"])


def test_a_full_disk_is_red(live_lago, tmp_path):
    settings = tmp_path / "settings.toml"
    text = (live_lago.folder / "settings.toml").read_text()
    free = shutil.disk_usage("/").free // 2**20
    settings.write_text(re.sub(r"free_disk_mib = \d+", f"free_disk_mib = {free * 2}", text))
    given = live_lago.options[:-4] + ["--settings", str(settings), *live_lago.options[-2:]]
    result = suite_run.run(tmp_path, "-k", "test_the_disk_has_room", *given)
    assert result.red() == {"disk-full"}, result.output
    waivers = tmp_path / "known.toml"
    waivers.write_text('[[waiver]]\nid = "disk-full"\nreason = "enlarged on Monday"\nexpires = 2999-01-01\n')
    waived = suite_run.run(tmp_path, "-k", "test_the_disk_has_room", *given, "--waivers", str(waivers))
    assert waived.code == 0 and waived.checks("waived"), waived.output
    assert "enlarged on Monday" in waived.output
