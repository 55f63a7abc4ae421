"""The gate opens no connection, runs no program of the file, and opens nothing that is not the project's own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lago_acceptance.core.resources import ROOT
from tests.support import hostile
from tests.support.listener import Listener
from tests.support.patience import PATIENCE

GATE = str(Path(sys.executable).with_name("lago-gate"))


@pytest.fixture
def listener():
    listening = Listener()
    yield listening
    listening.close()


def judged(folder: Path, path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """lago-gate on a file, in a folder of its own for its reports."""
    return subprocess.run(
        [GATE, *arguments, "--reports", str(folder / "reports"), str(path)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def found(folder: Path) -> list[dict]:
    return json.loads((folder / "reports" / "gate.json").read_text("utf-8"))


@pytest.mark.parametrize("name", hostile.REMOTE)
def test_what_an_address_names_is_a_finding_and_is_not_fetched(name, tmp_path, listener):
    canary = secrets.token_hex(16)
    path = hostile.write_remote(tmp_path / "a", hostile.REMOTE[name], listener.port, canary)
    ended = judged(tmp_path, path, LAGO_API_KEY=canary)
    assert listener.heard == []
    assert ended.returncode == 1, ended.stdout + ended.stderr
    [told] = [each for each in found(tmp_path) if each["rule"] == "remote-include"]
    assert told["line"] and told["severity"] == "error"
    # The rest of the file is judged.
    assert "rails-env-missing" in {each["rule"] for each in found(tmp_path)}
    assert "compose-invalid" not in {each["rule"] for each in found(tmp_path)}, found(tmp_path)
    assert canary not in ended.stdout + ended.stderr + json.dumps(found(tmp_path))


@pytest.mark.parametrize("name", hostile.BUILDS)
def test_what_is_to_be_built_is_not_fetched(name, tmp_path, listener):
    path = hostile.write_remote(tmp_path / "a", hostile.BUILDS[name], listener.port, secrets.token_hex(16))
    ended = judged(tmp_path, path)
    assert listener.heard == [] and ended.returncode == 1, ended.stdout + ended.stderr
    assert "rails-env-missing" in {each["rule"] for each in found(tmp_path)}


def test_an_address_in_the_overridden_file_and_in_the_base_is_not_fetched(tmp_path, listener):
    canary = secrets.token_hex(16)
    bad = hostile.REMOTE["include of git, with a value"]
    base = hostile.write_remote(tmp_path / "a", bad, listener.port, canary)
    override = base.with_name("compose.override.yml")
    override.write_text(hostile.service("restart: always"), "utf-8")
    ended = judged(tmp_path, override, "--base", str(base))
    assert listener.heard == [] and ended.returncode == 1, ended.stdout + ended.stderr
    [told] = [each for each in found(tmp_path) if each["rule"] == "remote-include"]
    assert "compose.yml" in told["message"] and canary not in ended.stdout + ended.stderr


def test_no_packet_leaves_on_any_file(tmp_path):
    """In a network namespace whose loopback interface counts; the gate's own namespaces would hide what is sent in them."""
    canary = secrets.token_hex(16)
    paths = [
        hostile.write_remote(tmp_path / str(number), text, 9418, canary)
        for number, text in enumerate((*hostile.REMOTE.values(), *hostile.BUILDS.values()))
    ]
    # Nothing of its name: the gate finds no `unshare`, as on a system that allows none.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git"))
    counted = """
        ip link set lo up
        PATH=$0 "$@" >/dev/null 2>&1
        tail -n +3 /proc/net/dev | awk '{ sent += $11 } END { print sent + 0 }'
    """
    owner = [] if os.geteuid() == 0 else ["--map-root-user"]
    command = [
        "unshare", *owner, "--net", "--", "sh", "-c", counted, str(tmp_path / "bin"),
        GATE, "--reports", str(tmp_path / "reports"), *map(str, paths),
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.stdout.strip() == "0", ended.stdout + ended.stderr
    told = [each for each in found(tmp_path) if each["rule"] == "remote-include"]
    assert {each["path"] for each in told} == set(map(str, paths[: len(hostile.REMOTE)]))


@pytest.mark.parametrize("name", hostile.SPECIAL)
def test_a_device_or_pipe_is_refused_unread(name, tmp_path):
    path = hostile.write(tmp_path / "a", hostile.SPECIAL[name])
    ended = judged(tmp_path, path)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    [told] = [each for each in found(tmp_path) if each["rule"] == "file-outside-project"]
    assert "device" in told["message"] and told["line"]
    assert {"rails-env-missing", "compose-invalid"} & {each["rule"] for each in found(tmp_path)} != {
        "compose-invalid"
    }


@pytest.mark.parametrize("name", hostile.OUTSIDE)
def test_a_file_of_the_host_is_refused_unread(name, tmp_path):
    path = hostile.write(tmp_path / "a", hostile.OUTSIDE[name])
    ended = judged(tmp_path, path)
    [told] = [each for each in found(tmp_path) if each["rule"] == "file-outside-project"]
    assert ended.returncode == 1 and "outside the project" in told["message"]
    assert "root:" not in ended.stdout + ended.stderr + json.dumps(found(tmp_path))
    assert "rails-env-missing" in {each["rule"] for each in found(tmp_path)}


@pytest.mark.parametrize("entry", ["/etc/shadow", "SHADOW", "../../../../../../../../etc/shadow"])
def test_an_env_file_outside_the_project_is_unknown_and_no_finding(entry, tmp_path):
    path = hostile.write(tmp_path / "a", hostile.service(f"env_file: {entry}"))
    ended = judged(tmp_path, path)
    assert {"file-outside-project", "env-file-not-in-repo", "compose-invalid"}.isdisjoint(
        each["rule"] for each in found(tmp_path)
    ), found(tmp_path)
    assert (
        "may get them elsewhere (env_file shadow is not here)" in ended.stdout.lower()
        and "root:" not in ended.stdout
    )


def test_an_env_file_above_the_compose_file_is_read_within_one_repository(tmp_path):
    path = hostile.write(tmp_path / "a" / "deploy", hostile.service("env_file: ../lago.env"))
    (tmp_path / "a" / "lago.env").write_text("RAILS_ENV=production\n", "utf-8")
    judged(tmp_path, path)
    assert "rails-env-missing" not in {each["rule"] for each in found(tmp_path)}, "unknown, not missing"
    subprocess.run(["git", "init", "-q", str(tmp_path / "a")], check=True)
    ended = judged(tmp_path, path)
    assert "lie outside" not in ended.stdout
    (tmp_path / "a" / "lago.env").write_text("OTHER=1\n", "utf-8")
    judged(tmp_path, path)
    assert "rails-env-missing" in {each["rule"] for each in found(tmp_path)}


def test_the_compose_file_itself_may_not_be_a_link_to_a_file_of_the_host(tmp_path):
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "compose.yml"
    path.symlink_to("/etc/passwd")
    for given in (path, path.parent):
        ended = judged(tmp_path, given)
        assert ended.returncode == 1 and "outside its project" in found(tmp_path)[0]["message"]
        assert "root:" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("target", ["/etc/shadow", "/dev/zero", "PIPE"])
def test_a_dotenv_that_is_a_link_is_not_followed(target, tmp_path):
    path = hostile.write(tmp_path / "a", hostile.service("restart: $LAGO_RESTART"))
    path.with_name(".env").symlink_to(target)
    ended = judged(tmp_path, path)
    assert ended.returncode == 1 and "root:" not in ended.stdout + ended.stderr
    told = {each["rule"] for each in found(tmp_path)}
    assert ("file-outside-project" in told) == (target != "/etc/shadow")
    assert "rails-env-missing" in told and ".env" in ended.stdout


@pytest.mark.parametrize("program", ["sh", "touch"])
def test_a_provider_is_a_finding_and_is_not_started(program, tmp_path):
    ran = tmp_path / "ran"
    path = hostile.write(
        tmp_path / "a",
        hostile.service("restart: always")
        + f"  tool: {{provider: {{type: {program}, options: {{c: touch {ran}}}}}}}\n",
    )
    (tmp_path / "bin").mkdir()
    for name in (program, f"docker-{program}"):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n: > {ran}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    ended = judged(tmp_path, path, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert ended.returncode == 1 and not ran.exists()
    [told] = [each for each in found(tmp_path) if each["rule"] == "provider-service"]
    assert (told["service"], told["line"]) == ("tool", 5) and f"program {program}" in told["message"]


def test_compose_sees_no_variable_of_the_gate_s_own_environment(tmp_path):
    path = hostile.write(
        tmp_path / "a",
        hostile.service(
            "environment: {A: '${SSH_AUTH_SOCK}${DOCKER_HOST}${LAGO_API_KEY}${PATH}', RAILS_ENV: '${GIVEN}'}"
        ),
        {"own.env": "GIVEN=production\n"},
    )
    from lago_acceptance.composefile.loader import load

    given = dict.fromkeys(("SSH_AUTH_SOCK", "DOCKER_HOST", "LAGO_API_KEY", "GIVEN"), "of-the-process")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in given.items():
            patched.setenv(name, value)
        [service] = load(path, path.with_name("own.env")).model.services
    assert (service.environment["A"], service.environment["RAILS_ENV"]) == ("", "production")
