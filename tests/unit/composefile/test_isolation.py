"""Programs that read the files of strangers see no network, no environment but their own, and have limits."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lago_acceptance.composefile import bounded_process, isolation
from lago_acceptance.composefile.bounded_process import Ended, NotDone, run
from lago_acceptance.composefile.isolation import ENVIRONMENT, run_isolated
from lago_acceptance.core.resources import compose_binary

PYTHON = sys.executable


@pytest.fixture(autouse=True)
def _unknown_yet(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(isolation, "_refused", [])
    isolation._unshare.cache_clear()
    yield
    isolation._unshare.cache_clear()


def code(text: str) -> list[str]:
    return [PYTHON, "-I", "-c", text]


def test_where_the_system_allows_it_there_is_no_network():
    owner = [] if os.geteuid() == 0 else ["--map-root-user"]
    allowed = (
        subprocess.run(["unshare", *owner, "--net", "true"], capture_output=True, check=False).returncode == 0
    )
    ended = run_isolated(["/bin/cat", "/proc/net/dev"], {}, b"")
    interfaces = [line.split(b":")[0].strip() for line in ended.stdout.splitlines()[2:]]
    assert ended.code == 0 and (interfaces == [b"lo"]) is allowed


@pytest.mark.parametrize(
    "program", ["#!/bin/sh\necho 'unshare: Operation not permitted' >&2\nexit 1\n", None]
)
def test_where_it_is_not_allowed_the_command_runs_without(program, monkeypatch, tmp_path):
    if program:
        (tmp_path / "unshare").write_text(program)
        (tmp_path / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for _ in range(2):
        assert run_isolated(["/bin/echo", "done"], {}, b"").stdout == b"done\n"
    assert isolation._refused == ([True] if program else [])


def test_nothing_of_the_caller_s_environment_is_seen(monkeypatch):
    monkeypatch.setenv("LAGO_API_KEY", "of the caller")
    ended = run_isolated(["/usr/bin/env"], {"GIVEN": "1", "COMPOSE_EXPERIMENTAL_GIT_REMOTE": "true"}, b"")
    seen = dict(line.split("=", 1) for line in ended.stdout.decode().splitlines())
    assert seen == {"GIVEN": "1", **ENVIRONMENT}
    assert not Path(ENVIRONMENT["HOME"]).exists()


def test_what_is_given_is_read_and_what_is_written_is_returned():
    ended = run(
        code("import sys; sys.stdout.write(sys.stdin.read()); sys.exit('no')"), {}, b"given " * 100_000
    )
    assert (ended.code, ended.stdout, ended.stderr) == (1, b"given " * 100_000, b"no\n")


def test_a_program_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(bounded_process, "DEADLINE", 1.0)
    hangs = "import os, time; os.close(1); {}time.sleep(600)"
    for text in ("while True: pass", hangs.format(""), hangs.format("os.close(2); ")):
        with pytest.raises(NotDone, match="not done within 1 s"):
            run(code(text), {})


def test_a_program_that_writes_without_end_is_ended(monkeypatch):
    monkeypatch.setattr(bounded_process, "OUTPUT_CAP", 1_000_000)
    with pytest.raises(NotDone, match="more than 1 MB"):
        run(code("while True: print('x' * 10_000)"), {})
    ended = run(code("import sys\nfor _ in range(3000): sys.stderr.write('x' * 1000)"), {})
    assert ended.code == 0 and len(ended.stderr) == 1_000_000


def test_what_a_program_leaves_running_is_not_waited_for():
    """It holds the pipe of the errors for longer than the program lives."""
    started = time.monotonic()
    assert run(["/bin/sh", "-c", "sleep 20 >&- & echo done"], {}) == Ended(0, b"done\n", b"")
    assert time.monotonic() - started < 20


def test_what_a_program_writes_at_its_end_is_read(monkeypatch):
    """It ends between a look at its pipes and a look at itself."""
    monkeypatch.setattr(bounded_process, "_LOOK_SECONDS", 0)
    waited = subprocess.Popen.poll

    def poll(process: subprocess.Popen) -> int | None:
        process.wait()
        return waited(process)

    monkeypatch.setattr(subprocess.Popen, "poll", poll)
    assert run(["/bin/sh", "-c", "sleep 0.2; echo done"], {}) == Ended(0, b"done\n", b"")


def test_a_program_that_reads_nothing_has_answered():
    assert run(code("print('done')"), {}, b"x" * 1_000_000) == Ended(0, b"done\n", b"")


def test_a_program_has_a_limit_of_memory():
    ended = run(code("import sys; sys.stdin.read(); bytearray(300 << 20)"), {})
    assert ended.code == 1 and b"MemoryError" in ended.stderr


@pytest.mark.parametrize("address", ["git://127.0.0.1:9/x.git", "oci://127.0.0.1:9/x:1"])
def test_compose_refuses_addresses_by_itself(address, tmp_path, monkeypatch):
    """Also where there is no network namespace, and should an address ever get past the gate."""
    monkeypatch.setattr(isolation, "_refused", [True])
    file = tmp_path / "compose.yml"
    file.write_text(f"include: ['{address}']\nservices: {{a: {{image: x}}}}\n")
    ended = run_isolated([compose_binary(), "--file", str(file), "config"], {}, b"")
    assert ended.code and b"remote resource is disabled" in ended.stderr, ended.stderr


def test_a_program_is_limited_in_processor_time(monkeypatch):
    monkeypatch.setattr(bounded_process, "PROCESSOR_SECONDS", 1)
    monkeypatch.setattr(bounded_process, "DEADLINE", 20.0)
    with pytest.raises(NotDone, match="1 s of processor time"):
        run(code("while True: pass"), {})
