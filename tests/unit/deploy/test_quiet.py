"""Whether the workers that were quieted have finished their jobs, as Redis says it."""

from __future__ import annotations

import subprocess
from importlib.resources import files

import pytest

SHELL = files("lago_acceptance.deploy") / "shell"
# Redis answers from a folder of files, and each `docker exec -i` reads its input.
PROGRAM = r"""
set -eu
tab='	'
here=$1
. "$2/host.part.sh"
. "$2/quiet.part.sh"
fail() { echo "$*" && exit 1; }
redis_container() { echo redis; }
redis_url() { echo redis://redis:6379/0; }
worker_services=lago-worker api_service=lago-api drain_seconds=0
docker() {
    case $* in
        "inspect -f "*) for container in "$@"; do :; done; echo "$container host$container start" ;;
        "kill "* | *" sh -s" | "stop "*) ;;
        "start "*) echo "$2" >>"$here/started" ;;
        "ps -q --filter id="*) cat "$here/running" ;;
        *SMEMBERS*) cat >/dev/null && ls "$here/processes" ;;
        *HVALS*) ;;
        *HMGET*)
            cat >/dev/null
            for word in "$@"; do case $word in *:*) file=$here/processes/$word ;; esac; done
            cat "$file" ;;
        *) echo "docker $*" >&2; exit 9 ;;
    esac
}
"$3"
"""


@pytest.fixture
def run(tmp_path):
    """Runs a function, with two quieted containers, `one` and `two`, that say something; whether it succeeded."""
    (tmp_path / "processes").mkdir()
    (tmp_path / "quieted").write_text("1000\n")
    (tmp_path / "quieted_containers").write_text("one hostone start\ntwo hosttwo start\n")
    (tmp_path / "running").write_text("a container\n")

    def function(name: str, **processes: str) -> bool:
        for each, answer in processes.items():
            (tmp_path / "processes" / f"{each}:1:abc").write_text(answer.replace(" ", "\n") + "\n")
        words = ["sh", "-c", PROGRAM, "sh", str(tmp_path), str(SHELL), name]
        ended = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert ended.returncode in (0, 1), ended.stderr
        assert not ended.stderr
        return ended.returncode == 0

    return function


@pytest.fixture
def idle(run):
    """Asks whether both are idle."""
    return lambda **processes: run("idle", **processes)


def test_quiet_workers_without_jobs_are_idle(idle):
    assert idle(hostone="1001.5 0 true", hosttwo="1002.5 0 true")


@pytest.mark.parametrize("other", ["1001.5 1 true", "1001.5 0 false", "999.5 0 true", "1000.9 0 true"])
def test_each_worker_has_to_say_so(idle, other):
    assert not idle(hostone="1001.5 0 true", hosttwo=other)
    assert not idle(hostone=other, hosttwo="1001.5 0 true")


def test_a_worker_that_says_nothing_is_not_idle(idle, tmp_path):
    assert not idle(hostone="1001.5 0 true")
    # One that has ended is.
    (tmp_path / "running").write_text("")
    assert idle(hostone="1001.5 0 true")


def test_workers_of_other_deployments_are_not_waited_for(idle):
    assert idle(hostone="1001.5 0 true", hosttwo="1001.5 0 true", stranger="1001.5 7 false")


def test_workers_that_are_idle_are_started_again(run, tmp_path):
    assert run("undo_quiet", hosttwo="1001.5 0 true", hostone="1001.5 0 true")
    assert (tmp_path / "started").read_text().split() == ["one", "two"]


def test_a_worker_that_still_works_is_not_stopped(run, tmp_path):
    assert not run("undo_quiet", hostone="1001.5 0 true", hosttwo="1001.5 1 true")
    assert not (tmp_path / "started").exists()
