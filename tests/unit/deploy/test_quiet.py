"""Whether the workers that were quieted have finished their jobs, as Redis says it."""

from __future__ import annotations

import subprocess
from importlib.resources import files

import pytest

SHELL = files("lago_acceptance.deploy") / "shell"
# Redis answers from a folder of files, and reads its input as `docker exec -i` does.
ASK = r"""
set -eu
tab='	'
here=$1
. "$2/host.part.sh"
. "$2/quiet.part.sh"
redis_container() { echo redis; }
redis_url() { echo redis://redis:6379/0; }
worker_services=lago-worker api_service=lago-api
docker() {
    case $* in
        "ps -q --filter id="*) cat "$here/running" ;;
        *SMEMBERS*) ls "$here/processes" ;;
        *HMGET*)
            cat >/dev/null
            for word in "$@"; do case $word in *:*) file=$here/processes/$word ;; esac; done
            cat "$file" ;;
        *) echo "docker $*" >&2; exit 9 ;;
    esac
}
idle
"""


@pytest.fixture
def idle(tmp_path):
    """Asks whether two quieted containers, `one` and `two`, are idle."""
    (tmp_path / "processes").mkdir()
    (tmp_path / "quieted").write_text("1000\n")
    (tmp_path / "quieted_containers").write_text("one hostone start\ntwo hosttwo start\n")
    (tmp_path / "running").write_text("a container\n")

    def ask(**processes: str) -> bool:
        for name, answer in processes.items():
            (tmp_path / "processes" / f"{name}:1:abc").write_text(answer.replace(" ", "\n") + "\n")
        words = ["sh", "-c", ASK, "sh", str(tmp_path), str(SHELL)]
        ended = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert ended.returncode in (0, 1), ended.stderr
        assert not ended.stderr
        return ended.returncode == 0

    return ask


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
