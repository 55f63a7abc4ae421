"""Ways to a host that fail: each with the step that failed, exit code 6, and in time."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

from lago_acceptance.core.background import Background
from lago_acceptance.core.resources import ROOT
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.base import ReadCommand
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.hosts.ssh import SshHost
from tests.support import suite_run
from tests.support.patience import PATIENCE


def look(tmp_path: Path, url: str, ssh_config: Path | None = None) -> suite_run.Result:
    """A live run that gets as far as the way to the host lets it."""
    given = ["--ssh-config", str(ssh_config)] if ssh_config else []
    return suite_run.run(
        tmp_path / "reports", "-m", "smoke and phase2", "--target", "live", "--hosts", url, *given
    )


def refused(result: suite_run.Result, *words: str) -> None:
    """Exit code 6, one sentence with these words, no traceback."""
    assert result.code == 6, result.output
    assert "Traceback" not in result.output
    sentence = next(line for line in result.output.splitlines() if "not judged:" in line)
    assert not [word for word in words if word not in sentence], sentence


def test_a_name_that_nobody_knows(tmp_path):
    refused(look(tmp_path, "ssh://root@no-such-host.invalid"), "DNS", "no-such-host.invalid")


def test_a_port_that_refuses(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        refused(look(tmp_path, f"ssh://root@127.0.0.1:{taken.getsockname()[1]}"), "TCP", "refused")


def test_a_host_that_takes_connections_and_says_nothing(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        result = look(tmp_path, f"ssh://root@127.0.0.1:{silent.getsockname()[1]}")
    refused(result)
    assert result.seconds < PATIENCE


def test_an_unknown_host_key(tmp_path, sshd):
    server = sshd()
    (server.folder / "known_hosts").write_text("")
    refused(look(tmp_path, server.url, server.ssh_config), "host key", "ssh-keygen -lf")


def test_a_host_key_that_has_changed(tmp_path, sshd):
    server = sshd()
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    key = other.with_suffix(".pub").read_text().split()[1]
    (server.folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} ssh-ed25519 {key}\n")
    refused(look(tmp_path, server.url, server.ssh_config), "host key", "changed", "ssh-keygen -R")


def test_a_key_that_is_refused(tmp_path, sshd):
    server = sshd()
    (server.folder / "authorized_keys").write_text("")
    refused(look(tmp_path, server.url, server.ssh_config), "authentication", "ssh-add")


def test_ssh_that_breaks_off_in_the_middle(tmp_path, sshd):
    # $PPID is sshd's process of this session.
    server = sshd(before='echo "lago-acceptance begins"; sleep 1; kill -9 $PPID')
    refused(look(tmp_path, server.url, server.ssh_config), "broke off")


def test_a_login_that_floods(tmp_path, sshd):
    server = sshd(before="exec yes flood")
    result = look(tmp_path, server.url, server.ssh_config)
    refused(result)
    assert result.seconds < 60


def test_a_login_that_floods_its_errors(tmp_path, sshd):
    server = sshd(before="exec yes flood >&2")
    result = look(tmp_path, server.url, server.ssh_config)
    refused(result, "of errors")
    assert result.seconds < 60


@pytest.mark.exhaustive
def test_a_configuration_that_hangs(tmp_path):
    """What a user's ssh_config runs may wait for a network."""
    config = tmp_path / "ssh_config"
    config.write_text('Match exec "sleep 600"\n  User nobody\n')
    refused(look(tmp_path, "ssh://root@127.0.0.1", config), "ssh on this machine printed nothing", "ssh -G")


@pytest.mark.parametrize("name", ["with blank", "with * and [x]", "with 'one' and \"two\"", "with \\ %h"])
def test_an_ssh_config_may_have_any_name(tmp_path, name, sshd):
    server = sshd(before="exit 3")
    config = tmp_path / name
    config.write_text(server.ssh_config.read_text())
    refused(look(tmp_path, server.url, config), "login shell")


def test_a_login_that_hangs(tmp_path, sshd):
    server = sshd(before="exec sleep 600")
    refused(look(tmp_path, server.url, server.ssh_config), "login shell")
    # Long before the deadline of what was to be read.
    host, started = SshHost(parse(server.url), server.ssh_config), time.monotonic()
    with contextlib.closing(host), pytest.raises(Unreachable, match="login shell"):
        host.read(ReadCommand("facts", "true", {}, deadline=600))
    assert time.monotonic() - started < PATIENCE


def test_what_is_still_read_ends_where_the_run_gives_up(tmp_path, sshd):
    """Long before its own deadline."""
    reached = tmp_path / "reached"
    server = sshd(before=f'echo "lago-acceptance begins"; touch {reached}; exec sleep 600')
    host, background = SshHost(parse(server.url), server.ssh_config), Background()
    try:
        reading = background.submit(host.read, ReadCommand("facts", "true", {}, deadline=600))
        assert until(reached.exists, PATIENCE)
        host.give_up()
        with pytest.raises(Unreachable, match="facts of .* was interrupted"):
            reading.result(PATIENCE)
    finally:
        host.close()


def test_a_host_without_docker(tmp_path, sshd):
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in (Path("/usr/bin"), Path("/bin")):
        for tool in folder.iterdir():
            if not tool.name.startswith("docker"):
                with contextlib.suppress(FileExistsError):
                    (tools / tool.name).symlink_to(tool)
    server = sshd(environment={"PATH": str(tools)})
    refused(look(tmp_path, server.url, server.ssh_config), "no Docker")


@pytest.mark.docker
def test_a_docker_that_does_not_run(tmp_path, sshd):
    server = sshd(environment={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    refused(look(tmp_path, server.url, server.ssh_config), "Docker does not answer", "systemctl start docker")


@pytest.mark.docker
def test_a_user_who_may_not_use_docker(tmp_path, sshd):
    server = sshd(
        before='exec setpriv --reuid 65534 --regid 65534 --clear-groups sh -c "$SSH_ORIGINAL_COMMAND"'
    )
    refused(
        look(tmp_path, server.url, server.ssh_config), "does not let this user talk to Docker", "group docker"
    )


@pytest.mark.docker
def test_a_banner_on_stdout_is_nothing(tmp_path, sshd):
    server = sshd(before='echo "Welcome to facts begin"; echo "containers bm90aGluZw=="')
    result = look(tmp_path, server.url, server.ssh_config)
    assert result.code in (1, 6), result.output
    assert "did not arrive whole" not in result.output and "Traceback" not in result.output
    # Docker was reached: what is said is about Lago.
    assert result.red() or "Lago stacks" in result.output


@pytest.mark.parametrize(
    ("hosts", "words"),
    [
        ("root@example.test", "write ssh://root@example.test"),
        ("paramiko://root@example.test", "refused"),
        ("docker://lago-api", "refused"),
        ("ssh://root:secret-word@example.test", "password"),
        ("ssh://", "is not ssh://user@host"),
        ("ssh://-oProxyCommand=x", "is not ssh://user@host"),
        ("ssh://root@example.test:port", "the port is not a number"),
    ],
)
def test_hosts_that_are_no_ssh_address_are_a_usage_error(hosts, words, tmp_path):
    result = suite_run.run(tmp_path, "-m", "smoke", "--target", "live", f"--hosts={hosts}")
    assert result.code == 4, result.output
    assert words in result.output and "Traceback" not in result.output
    assert "secret-word" not in result.output


def test_users_ssh_config_is_honoured(tmp_path, sshd):
    server = sshd(environment={"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    config = tmp_path / "config with blank"
    config.write_text(
        f"Host production\n  HostName 127.0.0.1\n  Port {server.port}\n  User root\n"
        + server.ssh_config.read_text()
    )
    refused(look(tmp_path, "ssh://production", config), "production", "Docker does not answer")
    jump = tmp_path / "jump"
    jump.write_text(
        config.read_text()
        + f"Host behind\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyJump production\n"
    )
    refused(look(tmp_path, "ssh://root@behind", jump), "behind", "Docker does not answer")


def test_nothing_else_reads_or_changes_over_ssh():
    from lago_acceptance.hosts.address import parse
    from lago_acceptance.hosts.base import WriteCommand
    from lago_acceptance.hosts.ssh import SshHost

    host = SshHost(parse("ssh://root@example.test"))
    try:
        with pytest.raises(TypeError, match="needs a permit"):
            host.change(WriteCommand("removal", ("docker", "rm", "x")), None)
    finally:
        host.close()
    library = (ROOT / "lago_acceptance").rglob("*.py")
    own = {path.name for path in library if re.search(r"(import|from) testinfra", path.read_text())}
    assert own == {"ssh.py"}


@pytest.mark.parametrize("own", ["", "KexAlgorithms ecdh-sha2-nistp256\n"])
def test_the_key_exchange_is_what_the_users_own_ssh_config_says(tmp_path, own):
    """Keys of an API pass there with --allow-writes: nothing weaker is put first for speed."""
    config = tmp_path / "ssh_config"
    config.write_text(own)
    plain = subprocess.run(
        ["ssh", "-F", config, "-G", "somewhere.example"], capture_output=True, text=True, check=True
    ).stdout
    host = SshHost(parse("ssh://root@somewhere.example"), config)
    try:
        assert f"kexalgorithms {host.configured('kexalgorithms')}\n" in plain
    finally:
        host.close()


def test_a_script_is_sent_by_standard_input_and_has_no_size_limit(sshd):
    """Linux takes 128 KiB of one argument at most; and what a script starts must not read the rest of it."""
    server = sshd()
    host = SshHost(parse(server.url), server.ssh_config)
    for each in (host, LocalHost()):
        text = f'cat\n: {"x" * 200_000}\necho "$word"'
        try:
            assert each.read(ReadCommand("words", text, {"word": "it's"})) == "it's\n"
        finally:
            host.close()
    assert not any("xxx" in command for command in server.commands())
