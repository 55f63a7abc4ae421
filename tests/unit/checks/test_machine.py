"""Inodes, memory, kills, logs inside containers, and what comes back after a reboot: each red, green and unknown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from lago_acceptance.checks import machine as checks
from lago_acceptance.core import settings as settings_file
from lago_acceptance.core.registry import Severity
from lago_acceptance.core.verdicts import Blocked, Unknown
from lago_acceptance.facts.answers import LagoProcess, lago_process
from lago_acceptance.facts.host_state import Inodes, Machine
from lago_acceptance.facts.sections import engine as engine_section
from lago_acceptance.facts.sections import oom_kills as section
from lago_acceptance.images.resolve import stand_in
from lago_acceptance.model.deployment import Service
from tests.support import containers
from tests.support.facts import SETTINGS, container, facts, ids, lago
from tests.support.paths import DATA
from tests.support.patience import PATIENCE

WELL = Machine(load=0.2, processors=2, memory=8000, available=4000, swap=2000, swap_free=1900)


def with_(**changed) -> Machine:
    return msgspec.structs.replace(WELL, **changed)


@pytest.mark.parametrize(
    ("inodes", "red"),
    [
        ((), []),
        ((Inodes("/", 1000, 20),), []),
        ((Inodes("/", 1000, 19), Inodes("/", 1000, 19)), ["inodes-used-up"]),
        ((Inodes("/", 0, 0),), []),
    ],
)
def test_inodes(inodes, red):
    assert ids(checks.inodes_are_left(facts(inodes=inodes), SETTINGS)) == red


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        (WELL, []),
        (with_(available=199), ["memory-low"]),
        (with_(swap_free=100), ["swap-full"]),
        (with_(swap=0, swap_free=0), []),
        (with_(swap=None, swap_free=None), []),
    ],
)
def test_memory_and_swap(machine, found):
    told = list(checks.memory_is_left(facts(machine=machine), SETTINGS))
    assert ids(told) == found
    assert all(
        each.severity is Severity.WARNING and "load is 0.2 on 2 cores" in each.problem for each in told
    )


def test_a_host_that_does_not_say_is_unknown():
    for machine in (None, Machine(load=1.0)):
        with pytest.raises(Unknown, match="meminfo"):
            list(checks.memory_is_left(facts(machine=machine), SETTINGS))
    with pytest.raises(Unknown, match="cgroups"):
        list(checks.nothing_was_killed_for_memory(facts(*lago())))
    with pytest.raises(Unknown, match="at boot"):
        list(checks.docker_is_started_at_boot(facts()))
    with pytest.raises(Blocked, match="not-brought-up"):
        list(checks.nothing_was_killed_for_memory(facts()))


def test_killed_processes():
    small = msgspec.structs.replace(
        container("worker"), service=Service(name="lago-worker", image="", role="worker", memory=2**29)
    )
    seen = facts(*lago("worker"), small, oom_kills={"worker": 3, "front": 1, "api": 0})
    front, worker = checks.nothing_was_killed_for_memory(seen)
    assert (worker.id, worker.severity) == ("killed-for-memory", Severity.ERROR)
    assert "3 times" in worker.problem and "since the container's start at 2026" in worker.problem
    assert "512 MiB" in worker.problem and "nothing is billed" in worker.impact
    assert (
        front.severity is Severity.WARNING
        and "inside once for" in front.problem
        and "the host" in front.problem
    )
    assert ids(checks.nothing_was_killed_for_memory(facts(*lago(), oom_kills={"api": 0}))) == []


def test_logs_inside_containers():
    limit = SETTINGS.limits.log_mib * 2**20
    assert (
        lago_process('{"log_bytes": 7}').log_bytes == 7
        and lago_process('{"log_bytes": "x"}').log_bytes is None
    )
    for size, found in ((None, []), (limit, []), (limit + 1, ["log-inside-too-big"])):
        seen = facts(*lago(), lago={"worker": LagoProcess(log_bytes=size)})
        assert ids(checks.logs_inside_are_small(seen, SETTINGS)) == found


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("enabled", []),
        ("static", []),
        ("disabled", ["docker-not-at-boot"]),
        ("masked", ["docker-not-at-boot"]),
    ],
)
def test_docker_at_boot(word, found):
    told = list(checks.docker_is_started_at_boot(facts(docker_at_boot=word)))
    assert ids(told) == found and all("systemctl enable" in each.fix for each in told)


def test_settings_of_before_have_these_limits(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text((DATA / "settings.toml").read_text())
    limits = settings_file.load(file).limits
    assert (limits.free_inodes, limits.free_swap, limits.free_memory_mib) == (2, 10, 200)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        (f"/sys/fs/cgroup/system.slice/docker-{'a' * 64}.scope/memory.events 2\n", {"a" * 64: 2}),
        (f"/sys/fs/cgroup/memory/docker/{'b' * 64}/memory.oom_control 0\nawk: x\n2\n/a/b x\n", {"b" * 64: 0}),
    ],
)
def test_counts_of_both_versions_of_cgroups(text, found):
    assert section.oom_kills(text) == found


@pytest.mark.parametrize(
    ("text", "found"), [("enabled\n", "enabled"), ("not-found\n", ""), ("Failed to connect\n", ""), ("", "")]
)
def test_systemds_word(text, found):
    assert engine_section.docker_at_boot(text) == found


@pytest.mark.docker
@pytest.mark.skipif(os.geteuid() != 0, reason="cgroups are root's on some hosts")
def test_a_child_that_the_kernel_killed_is_counted_although_docker_does_not_say_so():
    eat = "head -c 200m /dev/zero | tail -c 200m >/dev/null; true"
    options = ("--memory=32m", "--memory-swap=32m")
    with containers.running(stand_in("base"), "sleep", "600", options=options) as one:
        one.execute("sh", "-c", eat)
        id = containers.docker("inspect", "--format", "{{.Id}}", one.name)
        ended = subprocess.run(
            ["sh", "-c", f"tab='\t' log_paths='{id}\t/x\n'\n{section._SHELL}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        if not ended.stdout:
            pytest.skip("this machine's cgroups lie elsewhere")
        assert section.oom_kills(ended.stdout)[id] >= 1
        assert containers.docker(
            "inspect", "--format", "{{.State.OOMKilled}} {{.State.Running}}", one.name
        ).endswith("true")
