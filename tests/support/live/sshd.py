"""An ssh server of its own on 127.0.0.1: own port, own keys, started as a child process and ended with it."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lago_acceptance.core.waiting import until
from tests.support.containers import listens
from tests.support.patience import PATIENCE

_AUDIT = """#!/bin/sh
# Records each command that ssh hands over and its standard input, a file for each, then runs it.
file=$(mktemp "{folder}/audit/XXXXXXXX")
printf '%s' "$SSH_ORIGINAL_COMMAND" >"$file.part"
input={folder}/inputs/${{file##*/}}
case $SSH_ORIGINAL_COMMAND in *"program.sh serve"*)
    # A conversation: its input ends when it does.
    mv "$file.part" "$file"
    exec /bin/sh -c "$SSH_ORIGINAL_COMMAND" ;;
esac
cat >"$input"
mv "$file.part" "$file"
exec <"$input"
{before}
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""


@dataclass(frozen=True)
class Sshd:
    """A running server: how to reach it, and the commands that it was given."""

    folder: Path
    port: int
    process: subprocess.Popen

    @property
    def url(self) -> str:
        """What --hosts takes."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"

    @property
    def ssh_config(self) -> Path:
        """A user's own ssh_config, with identity and known hosts."""
        return self.folder / "ssh_config"

    @property
    def options(self) -> list[str]:
        """The options of a live run that reach it."""
        return ["--target", "live", "--hosts", self.url, "--ssh-config", str(self.ssh_config)]

    def commands(self) -> list[str]:
        """The remote commands so far, in no order."""
        return [file.read_text() for file in (self.folder / "audit").iterdir() if file.suffix != ".part"]

    def inputs(self) -> list[str]:
        """What each of them was given by standard input, in no order."""
        return [file.read_text() for file in (self.folder / "inputs").iterdir()]

    def forget_commands(self) -> None:
        """Begin counting anew."""
        for name in ("audit", "inputs"):
            for file in (self.folder / name).iterdir():
                file.unlink()

    def stop(self) -> None:
        """End the server and its sessions."""
        self.process.terminate()
        self.process.wait(5)


def start(folder: Path, *, before: str = "", environment: dict[str, str] | None = None) -> Sshd:
    """Start a server in a folder. ``before`` is shell that runs ahead of each command, as a login's profile
    may.

    ``environment`` is given to each session, such as DOCKER_HOST.
    """
    folder.mkdir(parents=True, mode=0o700)
    (folder / "audit").mkdir()
    (folder / "inputs").mkdir()
    for name in ("host_key", "identity"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "identity.pub", folder / "authorized_keys")
    audit = folder / "audit.sh"
    audit.write_text(_AUDIT.format(folder=folder, before=before))
    audit.chmod(0o755)
    port = _free_port()
    # Compose stands beside this Python, as a plugin of Docker's would stand on a host. A home without what this
    # machine's user has in .bashrc, which bash reads for each command that comes by ssh.
    (folder / "home").mkdir()
    variables = {"PATH": f"{sys.prefix}/bin:{os.environ['PATH']}", "HOME": str(folder / "home")}
    variables |= environment or {}
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (folder / "sshd_config").write_text(
        f"""Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PidFile none
ForceCommand {audit}
"""
        # Of several such lines sshd takes the first alone.
        + f"SetEnv {' '.join(_quoted(name, value) for name, value in variables.items())}\n"
    )
    host_key = (folder / "host_key.pub").read_text().split()[:2]
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {' '.join(host_key)}\n")
    (folder / "ssh_config").write_text(
        f"Host *\n  IdentityFile {folder}/identity\n  IdentitiesOnly yes\n  UserKnownHostsFile "
        f"{folder}/known_hosts\n"
    )
    with (folder / "sshd.log").open("w") as log:
        process = subprocess.Popen(
            [shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin"), "-D", "-e", "-f", folder / "sshd_config"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    server = Sshd(folder, port, process)
    if (
        not until(lambda: listens("127.0.0.1", port) or process.poll() is not None, PATIENCE)
        or process.poll() is not None
    ):
        raise RuntimeError(f"sshd did not start: {(folder / 'sshd.log').read_text()}")
    return server


def _quoted(name: str, value: str) -> str:
    return f'"{name}={value}"'


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
