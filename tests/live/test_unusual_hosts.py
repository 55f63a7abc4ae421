"""Hosts that are not as expected: other tools, another user, an old Docker. What can't be seen there is
unknown, not red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lago_acceptance.facts.collect import observe
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from tests.support import suite_run
from tests.support.patience import PATIENCE
from tests.support.pretended_host import APPLETS

pytestmark = pytest.mark.docker

NOBODY = 65534


def tools(folder: Path, programs: dict[str, str], without: tuple[str, ...] = ()) -> Path:
    """A folder for PATH with all programs of this machine but some, and others in the place of their own."""
    folder.mkdir()
    # Compose stands beside this Python.
    for place in (f"{sys.prefix}/bin", *os.environ["PATH"].split(":")):
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            if program.name not in (*programs, *without) and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def facts_with(server, project: str):
    """The facts of a host, as this server shows it."""
    host = SshHost(parse(server.url), server.ssh_config)
    try:
        return observe(host, project=project)
    finally:
        host.close()


@pytest.mark.stack
@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox"])
def test_other_tools_see_the_same(awk, live_lago, sshd, tmp_path):
    """What a host without the GNU tools tells is what this one tells."""
    path = shutil.which(awk)
    if path is None:
        pytest.skip(f"{awk} is not on this machine")
    programs = {"awk": f'#!/bin/sh\nexec {path} {"awk " if awk == "busybox" else ""}"$@"\n'}
    if awk == "busybox":
        programs |= {
            name: f'#!{shutil.which("sh")}\nexec {path} {name} "$@"\n'
            for name in ("sh", "base64", *(each for each in APPLETS if each != "awk"))
        }
    usual = facts_with(sshd(), live_lago.project)
    other = facts_with(
        sshd(environment={"PATH": str(tools(tmp_path / "tools", programs))}), live_lago.project
    )
    assert {each.name for each in other.containers} == {each.name for each in usual.containers}
    for part in (
        "declaration",
        "declaration_error",
        "texts",
        "sources",
        "networks",
        "database_error",
        "lagos",
    ):
        assert getattr(other, part) == getattr(usual, part), part
    assert other.log_sizes.keys() == usual.log_sizes.keys()
    assert other.database.signs.keys() == usual.database.signs.keys()
    assert other.database.complete and other.database.tables == usual.database.tables
    assert other.redis.version == usual.redis.version
    assert {name: answer.key for name, answer in other.lago.items()} == {
        name: answer.key for name, answer in usual.lago.items()
    }
    assert abs(other.clock_drift) < 1.5
    # BusyBox's df does not find every mount.
    assert {"/"} <= {each.mount for each in other.disks} <= {each.mount for each in usual.disks}


@pytest.mark.stack
def test_what_another_user_may_not_see_is_unknown(live_lago, sshd, tmp_path):
    """Somebody of Docker's group who is not root: the key's file and the logs' sizes are closed to them."""
    group = Path("/var/run/docker.sock").stat().st_gid
    server = sshd(
        before=f"exec setpriv --reuid {NOBODY} --regid {NOBODY} --groups {group} "
        'env HOME=/nonexistent sh -c "$SSH_ORIGINAL_COMMAND"'
    )
    folder = live_lago.folder / "deployment"
    above = [
        each for each in (folder, *folder.parents) if each.stat().st_uid == 0 and each.is_relative_to("/tmp")
    ]
    modes = {each: each.stat().st_mode for each in above}

    def run(name: str) -> suite_run.Result:
        return suite_run.run(
            tmp_path / name, "-m", "smoke and (phase1 or phase2)", *live_lago.options_for(server)
        )

    closed = run("closed")
    try:
        for each in above[1:]:
            each.chmod(0o755)
        folder.chmod(0o755)
        unreadable = run("unreadable")
    finally:
        for each, mode in modes.items():
            each.chmod(mode & 0o7777)
    for result, words in (
        (closed, "folder that this user may not enter"),
        (unreadable, "may not be read by this user"),
    ):
        assert result.red() == set(), result.output
        assert not result.checks("blocked"), result.output
        assert any(
            words in check["reason"] for check in result.summary["checks"] if check["outcome"] == "unknown"
        ), result.output
    assert "test_only_its_owner_may_read_the_pem" in unreadable.checks("passed")


@pytest.mark.stack
def test_a_host_without_openssl_says_nothing_of_the_key(live_lago, sshd, tmp_path):
    path = tools(tmp_path / "tools", {}, without=("openssl",))
    server = sshd(environment={"PATH": str(path)})
    result = suite_run.run(tmp_path / "run", "-m", "smoke and phase1", *live_lago.options_for(server))
    assert result.red() == set() and not result.checks("blocked"), result.output
    assert any(
        "no openssl" in check["reason"] for check in result.summary["checks"] if check["outcome"] == "unknown"
    )


@pytest.mark.stack
@pytest.mark.parametrize(("service", "client"), [("lago-db", "psql"), ("lago-redis", "redis-cli")])
def test_a_container_without_its_client_is_unknown(service, client, live_lago, sshd, tmp_path):
    """An image that has no client in it: nobody was refused, nobody was asked."""
    container = live_lago.container(service)
    words = f'*" {container} "*'
    docker = tmp_path / "docker"
    docker.write_text(
        '#!/bin/sh\ncase "$* " in exec*) case " $* " in '
        f'{words}) echo "sh: 1: exec: {client}: not found" >&2; exit 127 ;; esac ;; esac\n'
        f'exec {shutil.which("docker")} "$@"\n'
    )
    docker.chmod(0o755)
    server = sshd(environment={"PATH": f"{tmp_path}:{sys.prefix}/bin:{os.environ['PATH']}"})
    result = suite_run.run(tmp_path / "run", "-m", "smoke and phase2", *live_lago.options_for(server))
    assert result.red() == set() and not result.checks("blocked"), result.output
    assert any(
        f"{client}: not found" in check["reason"]
        for check in result.summary["checks"]
        if check["outcome"] == "unknown"
    )


OLD = """#!/bin/sh
# A daemon of Docker 1.11, as today's client tells of it.
echo "Error response from daemon: client version 1.41 is too new. Maximum supported API version is 1.23" >&2
exit 1
"""


def test_a_docker_that_is_too_old(sshd, tmp_path):
    server = sshd(environment={"PATH": str(tools(tmp_path / "tools", {"docker": OLD}))})
    result = suite_run.run(tmp_path / "run", "-m", "smoke and phase2", *server.options)
    assert result.code == 6, result.output
    assert "too old" in result.output and "1.23" in result.output and "Traceback" not in result.output


def test_a_hosts_name_that_dns_never_resolves(tmp_path):
    """Resolvers that are there and never answer, in a mount namespace of the run's own."""
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.77\noptions timeout:30 attempts:5\n")
    silent = subprocess.Popen(
        [
            "python3",
            "-c",
            "import socket,time\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
            "s.bind(('127.0.0.77',53));time.sleep(600)",
        ]
    )
    started = time.monotonic()
    try:
        given = suite_run.command(
            "--reports",
            str(tmp_path / "run"),
            "-c",
            "pytest.ini",
            "-m",
            "smoke and phase2",
            "--target",
            "live",
            "--hosts",
            "ssh://root@billing.example.com",
        )
        inside = f'mount --bind {resolver} "$(readlink -f /etc/resolv.conf)" && exec "$@"'
        ended = subprocess.run(
            ["unshare", "--mount", "sh", "-c", inside, "sh", *given],
            cwd=suite_run.ROOT,
            env=suite_run.environment(),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            check=False,
        )
        seconds = time.monotonic() - started
    finally:
        silent.kill()
        silent.wait()
    assert ended.returncode == 6, ended.stdout + ended.stderr
    assert seconds < PATIENCE, "it waited for the resolver, which gives up after 150 s"
    assert "DNS" in ended.stdout and "billing.example.com" in ended.stdout and "Traceback" not in ended.stdout
