"""What is filled in at a stop of an upgrade: what its shell does while tasks, jobs and proofs change, without Docker."""

from __future__ import annotations

import subprocess
from importlib.resources import files

import pytest

from lago_acceptance.deploy import filling
from lago_acceptance.deploy.session import Outcome
from lago_acceptance.lago.filling import MODULE
from lago_acceptance.lago.filling import jobs as filling_jobs
from lago_acceptance.lago.upgrades import Proof, stops

SHELL = files("lago_acceptance.deploy") / "shell"
PROOF = "no fee is without an organization"
DEADLOCK = (
    "DatabaseMigrations::FillJob\tActiveRecord::Deadlocked: PG::TRDeadlockDetected: ERROR:  deadlock detected"
)
# Docker, PostgreSQL and Redis answer from files: what is left by proof, the jobs, and how the task's container is.
PROGRAM = r"""
set -eu
tab='	'
here=$1
. "$2/fill.part.sh"
. "$here/settings"
fail() { echo "$*"; exit 1; }
say() { printf '%s\n' "$*"; }
sleep() { :; }
db_container() { echo db; }
redis_container() { echo redis; }
database=lago deploy_id=one api_service=lago-api
psql_in() { case $(cat) in *organizations*) cat "$here/organizations" ;; *) cat "$here/database" ;; esac; }
redis_in() { cat "$here/redis"; }
schema_differs() { false; }
own_worker() { echo worker; }
started() { echo "$2" >>"$here/started"; [ ! -e "$here/on-start" ] || . "$here/on-start"; }
docker() {
    case $1 in
        inspect) [ -e "$here/container" ] && cat "$here/container" ;;
        logs) cat "$here/logs" ;;
        ps) cat "$here/worker" ;;
        rm) rm -f "$here/container" ;;
    esac
}
"$3"
"""


class Host:
    """A pretended host: the fill's shell over files."""

    def __init__(self, folder):
        self.folder = folder
        self.settings = {
            "fill_tasks": "all\tagain\tfirst task\nall\tagain\tsecond task",
            "fill_jobs": "DatabaseMigrations::FillJob",
            "fill_proofs": f"{PROOF}\tSELECT 1",
            "fill_seconds": "1000",
            "fill_worker_seconds": "1000",
            "fill_slice": "0",
            "fill_runner": "started",
            "fill_worker": "",
        }
        self.write("redis", "pending\t0\n")
        self.write("organizations", "")

    def write(self, name: str, text: str) -> None:
        """What something answers from now on."""
        (self.folder / name).write_text(text)

    def run(self, function: str) -> Outcome:
        """Run a function of the part."""
        self.write("settings", "".join(f"{name}={_quoted(value)}\n" for name, value in self.settings.items()))
        ended = subprocess.run(
            ["sh", "-c", PROGRAM, "sh", str(self.folder), str(SHELL), function],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert ended.returncode in (0, 1), ended.stderr
        assert not ended.stderr
        return Outcome(ended.returncode, tuple(ended.stdout.splitlines()))

    def rewind(self, name: str, seconds: int) -> None:
        """Let something have begun earlier."""
        file = self.folder / "fill" / name
        file.write_text(str(int(file.read_text()) - seconds))

    @property
    def started(self) -> list[str]:
        """The commands of the tasks that were started."""
        file = self.folder / "started"
        return file.read_text().splitlines() if file.exists() else []


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_a_task_that_must_not_be_repeated_runs_once_on_a_database(host):
    host.settings |= {
        "fill_tasks": "organization\tonce\tmove[ORGANIZATION_ID]\nall\tagain\tlast task",
        "fill_proofs": "",
    }
    host.write("organizations", "a1\nb2\n")
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    host.run("change_fill")
    # The second organization's task fails.
    host.write("container", "exited 0 false\n")
    host.write("on-start", 'echo "exited 1 false" >"$here/container"')
    host.write("logs", "it broke\n")
    host.run("ask_fill")
    assert host.run("ask_fill").code == 1
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    for function in ("change_fill", *["ask_fill"] * 6):
        host.run(function)
    assert host.started == ["move[a1]", "move[b2]", "move[b2]", "last task"]


def test_tasks_run_one_after_the_other_until_the_proofs_hold(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    begun = host.run("change_fill")
    assert begun == Outcome(0, (f"more\t{PROOF}: 7 left",))
    host.write("container", "exited 0 false\n")
    host.write("database", "3\n")
    assert host.run("ask_fill").last == f"more\t{PROOF}: 3 left"
    assert host.started == ["first task", "second task"]
    host.write("database", "0\n")
    host.write("redis", "pending\t1\n")
    # The last job still runs.
    assert host.run("ask_fill").last == "more\t1 jobs"
    host.write("redis", "pending\t0\n")
    found = filling.result(host.run("ask_fill"))
    assert [(each.says, each.rows) for each in found.proofs] == [(PROOF, 7)]
    # A task whose loop never ends is ended once the proofs hold.
    assert not (host.folder / "container").exists()


def test_a_task_waits_for_the_jobs_of_one_that_runs_alone(host):
    host.settings["fill_tasks"] = "all\talone\tfirst task\nall\tagain\tsecond task"
    host.write("database", "7\n")
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    host.run("change_fill")
    host.write("redis", "pending\t1\n")
    host.run("ask_fill")
    host.run("ask_fill")
    # The last job is done, which Sidekiq may show late.
    host.write("redis", "pending\t0\n")
    host.run("ask_fill")
    assert host.started == ["first task"]
    host.rewind("idle", 20)
    host.run("ask_fill")
    assert host.started == ["first task", "second task"]


def test_a_deadlock_runs_the_first_task_again_before_the_next(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    host.run("change_fill")
    host.write("container", "exited 0 false\n")
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    host.write("redis", f"died\t{DEADLOCK}\npending\t0\n")
    host.run("ask_fill")
    host.rewind("idle", 20)
    host.run("ask_fill")
    host.write("redis", "pending\t0\n")
    host.run("ask_fill")
    host.run("ask_fill")
    assert host.started == ["first task", "first task", "second task"]


def test_nothing_runs_where_nothing_is_left(host):
    host.write("database", "0\n")
    assert filling.result(host.run("change_fill")).rows == 0
    assert not host.started


def test_a_task_for_each_organization_runs_for_each(host):
    host.settings |= {"fill_tasks": "organization\tagain\tfill[ORGANIZATION_ID]", "fill_proofs": ""}
    host.write("organizations", "a-1\nb-2\n")
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    assert host.run("change_fill").last.startswith("more\t")
    host.run("ask_fill")
    host.run("ask_fill")
    assert host.started == ["fill[a-1]", "fill[b-2]"]
    # Sidekiq may have fetched a job that it doesn't show yet.
    assert host.run("ask_fill").last.startswith("more\t")
    host.rewind("idle", 20)
    assert host.run("ask_fill").last.startswith("seconds\t")


def test_a_task_that_fails_ends_it_with_what_it_said(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "exited 1 false" >"$here/container"')
    host.write("logs", "Booting\nNameError: uninitialized constant FillJob\nat line 1\n")
    host.run("change_fill")
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert "the task failed (first task): NameError: uninitialized constant FillJob" in failed.last
    assert f"{PROOF}: 7 left; 0 rows were filled in" in failed.last


def test_a_job_that_died_ends_it_with_its_error(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    host.run("change_fill")
    host.write("redis", "died\tDatabaseMigrations::FillJob\tPG::QueryCanceled: too long\npending\t0\n")
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert failed.last.startswith("DatabaseMigrations::FillJob died: PG::QueryCanceled: too long; ")


def test_a_job_that_a_deadlock_ended_is_no_matter_once_the_proofs_hold(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    host.run("change_fill")
    host.write("redis", f"died\t{DEADLOCK}\npending\t1\n")
    assert host.run("ask_fill").last == f"more\t{PROOF}: 7 left, 1 jobs"
    host.write("redis", f"died\t{DEADLOCK}\npending\t0\n")
    host.write("database", "0\n")
    assert filling.result(host.run("ask_fill")).rows == 7


def test_a_job_that_a_deadlock_ended_ends_it_where_nothing_counts_what_it_left(host):
    host.settings |= {"fill_tasks": "all\tagain\tfirst task", "fill_proofs": ""}
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    host.run("change_fill")
    host.write("redis", f"died\t{DEADLOCK}\npending\t0\n")
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert failed.last.startswith("DatabaseMigrations::FillJob died: ActiveRecord::Deadlocked: ")


def test_another_death_ends_it_beside_a_deadlock(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    host.run("change_fill")
    other = "DatabaseMigrations::FillJob\tPG::QueryCanceled: too long"
    host.write("redis", f"died\t{DEADLOCK}\ndied\t{other}\npending\t0\n")
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert failed.last.startswith("DatabaseMigrations::FillJob died: PG::QueryCanceled: too long; ")


def test_deadlocks_again_and_again_end_it(host):
    host.settings |= {"fill_tasks": "all\tagain\tfirst task"}
    host.write("database", "7\n")
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    host.run("change_fill")
    host.write("redis", f"died\t{DEADLOCK}\npending\t0\n")
    host.run("ask_fill")
    host.rewind("idle", 20)
    assert host.run("ask_fill").code == 0
    host.write("redis", "pending\t0\n")
    host.run("ask_fill")
    assert host.started == ["first task"] * 2
    host.write("redis", f"died\t{DEADLOCK}\npending\t0\n")
    host.run("ask_fill")
    host.rewind("idle", 20)
    ended = host.run("ask_fill")
    assert ended.code == 1
    assert ended.last == "DatabaseMigrations::FillJob died: " + DEADLOCK.partition("\t")[2]


def test_a_queue_that_no_worker_reads_ends_it_after_a_while(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    host.write("redis", "unread\tlow_priority\npending\t1\n")
    assert host.run("change_fill").code == 0
    assert host.run("ask_fill").code == 0
    host.rewind("unread", 1000)
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert "no worker reads the queue low_priority" in failed.last


def test_a_worker_of_its_own_that_ends_is_said_with_its_last_line(host):
    host.settings["fill_worker"] = "own_worker"
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    host.write("worker", "0123456789ab\n")
    assert host.run("change_fill").code == 0
    host.write("worker", "")
    host.write("logs", "Redis::CannotConnectError\n")
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert failed.last.startswith(f"the worker ended: Redis::CannotConnectError; {PROOF}: 7 left; 0 rows")


def test_rows_that_stay_end_it_and_rows_that_go_do_not(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    host.run("change_fill")
    host.rewind("progress", 2000)
    host.write("database", "5\n")
    assert host.run("ask_fill").code == 0
    host.rewind("progress", 2000)
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert failed.last.startswith(f"nothing has moved for 1000 s; {PROOF}: 5 left; 2 rows were filled in ")


def test_tasks_run_again_as_long_as_that_helps(host):
    host.settings["fill_tasks"] = "all\tagain\tfirst task"
    host.write("database", "7\n")
    host.write("on-start", 'echo "exited 0 false" >"$here/container"')
    host.run("change_fill")
    host.run("ask_fill")
    assert host.started == ["first task"]
    host.rewind("idle", 20)
    host.write("database", "5\n")
    host.run("ask_fill")
    assert host.run("ask_fill").code == 0
    assert host.started == ["first task"] * 2
    host.run("ask_fill")
    host.rewind("idle", 20)
    failed = host.run("ask_fill")
    assert failed.code == 1
    assert failed.last == f"all tasks have run, no job is left, and yet {PROOF}: 5 left"


def test_a_proof_that_cannot_be_asked_does_not_hold(host):
    host.write("database", "it has no column organization_id\n")
    failed = host.run("change_fill")
    assert failed.code == 1
    assert (
        failed.last == f"it can't be seen whether the stop is done: {PROOF}: it has no column organization_id"
    )


def test_undoing_ends_the_task_and_keeps_what_was_filled(host):
    host.write("database", "7\n")
    host.write("on-start", 'echo "running 0 false" >"$here/container"')
    host.run("change_fill")
    (host.folder / "backup").mkdir()
    host.write("backup/identity", "migrations\t1\n")
    undone = host.run("undo_fill")
    assert "What has been filled in until now stays" in undone.last
    assert not (host.folder / "container").exists()


def test_each_stop_has_one_line_for_each_task_and_proof():
    for stop in stops():
        given = filling.settings(stop)
        assert len(given["fill_tasks"].splitlines()) == len(stop.task)
        assert not any(task.once and task.alone for task in stop.task), "a line has room for one of them"
        assert all(
            line.split("\t")[0] in ("all", "organization") for line in given["fill_tasks"].splitlines()
        )
        assert len(given["fill_proofs"].splitlines()) == len(stop.proofs)
        assert all(line.count("\t") == 1 for line in given["fill_proofs"].splitlines())
    assert (
        "DatabaseMigrations::PopulateFeesWithBillingEntityIdJob" in filling.settings(stops()[0])["fill_jobs"]
    )
    assert not any(filling.settings(None)[name] for name in ("fill_tasks", "fill_jobs", "fill_proofs"))


@pytest.mark.parametrize("stop", [each for each in stops() if each.proofs], ids=lambda stop: stop.tag)
def test_what_a_job_fills_is_counted_by_a_proof_where_there_are_any(stop):
    tables = {each.job: each.table for each in filling_jobs()}
    jobs = [name.removeprefix(MODULE) for name in filling.settings(stop)["fill_jobs"].split()]
    assert {tables[name] for name in jobs} <= {proof.table for proof in stop.proofs}


def test_a_proof_is_one_line_for_psql_that_looks_for_its_columns():
    asked = filling.counting(Proof(says="", table="fees", undone="kind = 'x'", columns=("kind",)))
    assert "\n" not in asked
    assert asked.endswith("\\gexec")
    assert "attname IN ('kind')) = 1" in asked
    assert "'SELECT count(*) FROM fees WHERE kind = ''x'''" in asked


def test_whoever_waits_hears_of_the_end(monkeypatch):
    answers = iter([Outcome(0, ("more\ta: 2 left",)), Outcome(0, ("filled\ta\t2\t3", "seconds\t4"))])
    ended = filling.complete(Outcome(0, ("more\ta: 3 left",)), lambda: next(answers), lambda line: None)
    found = filling.result(ended)
    assert (found.rows, found.seconds) == (2, 4)
    assert filling.described(found) == "2 rows filled in within 4 s (a: 2 rows, 3 s), and 1 proof holds"
