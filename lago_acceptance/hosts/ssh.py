"""A host behind ssh, through testinfra's ssh backend with an ssh_config of our own."""

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lago_acceptance.core import private_folders, report_files
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.hosts import bounded
from lago_acceptance.hosts.address import Address
from lago_acceptance.hosts.base import CommandResult, Host, ReadCommand, WriteCommand
from lago_acceptance.hosts.channel import Channel
from lago_acceptance.hosts.process import last_words, text_of
from lago_acceptance.hosts.ssh_errors import CONNECT_SECONDS, why

if TYPE_CHECKING:
    from testinfra.backend.base import CommandResult as Ended  # type: ignore[import-untyped]
    from testinfra.backend.ssh import SshBackend  # type: ignore[import-untyped]

GIVEN_UP = "given up"
_BEGUN = "lago-acceptance begins"
_SOCKET_PATH = 104 - len("/0123456789012345678901234567890123456789.0123456789abcdef")


class _Running(threading.local):
    """What a thread runs on the host: its name, its deadline in seconds, and what goes to its standard input."""

    name = ""
    deadline = 0.0
    input = b""


class SshHost(Host):
    """A host reached over ssh. ``ssh_config`` replaces the user's own file; identity, jump hosts and aliases come
    from it.
    """

    def __init__(self, address: Address, ssh_config: Path | None = None):
        self.address = address
        self.name = address.spec.removeprefix("ssh://")
        with report_files.writing("the folder of the ssh connection", report_files.IN_TMPDIR):
            self._own = private_folders.make("lago-ssh-", _short_folder())
        self._user_config = ssh_config
        self.commands = 0
        self._running = _Running()
        self._given_up = threading.Event()

    @cached_property
    def _backend(self) -> SshBackend:
        from testinfra.backend.ssh import SshBackend

        host = self

        class Bounded(SshBackend):  # type: ignore[misc]
            """testinfra's backend without its flaws: it waits forever and keeps any amount of output."""

            def run_local(self, command: str, *args: str) -> Ended:
                code, output, errors = host._run(self.quote(command, *args))
                return self.result(code, command.encode(), output, errors)

            def run_ssh(self, command: str) -> Ended:
                # Exit code 255 is ssh's own failure; the caller checks for it.
                template, arguments = self._build_ssh_command(command)
                return self.run_local(" ".join(template), *arguments)

        return Bounded(
            self.address.spec.removeprefix("ssh://"),
            ssh_config=str(self._config),
            timeout=CONNECT_SECONDS,
            controlpersist=30,
        )

    @cached_property
    def _config(self) -> Path:
        """ssh uses the first value that it finds, so ours come before the user's."""
        config = self._own / "config"
        # Without a home, "~" stays as it is.
        own = os.path.expanduser("~/.ssh/config")
        others = [self._given_config()] if self._user_config else [own, "/etc/ssh/ssh_config"]
        config.write_text(
            "BatchMode yes\n"
            "StrictHostKeyChecking yes\n"
            "UpdateHostKeys no\n"
            "PasswordAuthentication no\n"
            "KbdInteractiveAuthentication no\n"
            "ServerAliveInterval 3\n"
            "ServerAliveCountMax 3\n"
            "ConnectionAttempts 1\n"
            "Compression yes\n"
            "RequestTTY no\n"
            # Shows how far a connection got.
            "LogLevel DEBUG1\n"
            f"ControlPath {self._own}/%C\n"
            + "".join(f'Include "{path}"\n' for path in others if os.path.isfile(path)),
            "utf-8",
        )
        return config

    def _given_config(self) -> str:
        """The user's own file by a name that needs no quoting."""
        link = self._own / "given"
        link.symlink_to(str(self._user_config and self._user_config.absolute()))
        return str(link)

    def read(self, reading: ReadCommand) -> str:
        code, output, errors = self._run_script(reading.name, reading.script(), reading.deadline)
        if code in (124, 137):
            raise Unreachable(
                f"reading the {reading.name} of {self.name} took longer than {reading.deadline:.0f} s"
            )
        if code != 0:
            raise Unreachable(
                f"reading the {reading.name} of {self.name} failed with exit code {code}: {last_words(errors)}"
            )
        return output

    def change(
        self, change: WriteCommand, permit: Permit, give_up: Callable[[], str | None] | None = None
    ) -> CommandResult:
        if not isinstance(permit, Permit):
            raise TypeError(f"{change.name} changes {self.name} and needs a permit")
        if give_up or change.directory:
            raise NotImplementedError(
                f"{change.name}: on a live host a command runs to its end, in the folder where ssh logs in"
            )
        code, output, _ = self._run_script(change.name, change.script(), change.deadline)
        late = code in (124, 137)
        stopped = f"{change.name} did not end within {change.deadline:.0f} s" if late else None
        return CommandResult(code, redact(output), stopped)

    def open(self, name: str, arguments: tuple[str, ...], permit: Permit) -> Channel:
        if not isinstance(permit, Permit):
            raise TypeError(f"{name} changes {self.name} and needs a permit")
        _require_ssh()
        self._running.name = name
        return Channel(
            self._words(f"exec {shlex.join(arguments)}"), lambda errors: why(self.name, name, errors, True)
        )

    def _words(self, command: str) -> list[str]:
        """The words of the ssh command that runs something on the host."""
        template, arguments = self._backend._build_ssh_command(command)
        return shlex.split(self._backend.quote(" ".join(template), *arguments))

    def _run_script(self, name: str, script: str, deadline: float) -> tuple[int, str, str]:
        """Exit code, output and errors of a script. It goes to a shell's standard input: every user on either machine
        can read arguments, and Linux limits one to 128 KiB.
        """
        _require_ssh()
        self._running.name, self._running.deadline = name, deadline
        self._running.input = script.encode("utf-8", "surrogateescape")
        self.commands += 1
        result = self._backend.run(f"echo {shlex.quote(_BEGUN)}; exec timeout -k 1 {deadline:g} sh -s")
        _, begun, output = text_of(result.stdout_bytes).partition(_BEGUN + "\n")
        errors = text_of(result.stderr_bytes)
        if not begun or result.rc == 255:
            raise Unreachable(self._failed(errors, bool(begun)))
        return result.rc, output, errors

    @cached_property
    def real_name(self) -> str:
        """The name or address that ssh_config gives an alias."""
        return self.configured("hostname") or self.address.name

    def configured(self, option: str) -> str:
        """The value that ssh uses for an option (in lower case) of this host, "" if it has none."""
        _require_ssh()
        words = ["ssh", "-F", str(self._config), "-G", self.address.name]
        ended = bounded.run(words, patience=lambda output: CONNECT_SECONDS)
        lines = (line.partition(" ") for line in ended.output.decode("utf-8", "replace").splitlines())
        return next((value for name, _, value in lines if name == option), "")

    def give_up(self) -> None:
        """End the commands that still run, in whichever thread: they raise Unreachable."""
        self._given_up.set()

    def close(self) -> None:
        """End the shared connection and remove its folder."""
        import shutil

        if "_backend" in self.__dict__ and any(self._own.glob("*")):
            words = self._words("")
            with contextlib.suppress(Unreachable):
                bounded.run([*words[:-2], "-O", "exit", words[-2]], patience=lambda output: CONNECT_SECONDS)
        shutil.rmtree(self._own, ignore_errors=True)

    # --- one command, bounded in time and size ---

    def _run(self, command: str) -> tuple[int, bytes, bytes]:
        """Exit code, output and errors of a local command; Unreachable if it hangs or prints too much."""
        running = self._running
        ended = bounded.run(
            ["/bin/sh", "-c", command],
            given=running.input,
            patience=lambda output: (
                running.deadline + 5 if _BEGUN.encode() in output else CONNECT_SECONDS + 2
            ),
            give_up=lambda: GIVEN_UP if self._given_up.is_set() else None,
        )
        if ended.stopped == GIVEN_UP:
            raise Unreachable(f"the {running.name} of {self.name} was interrupted")
        if ended.stopped == bounded.FLOODED:
            raise Unreachable(
                f"{self.name} printed {bounded.too_much()} during its {running.name}: "
                f"check what its login shell prints (ssh {self.name} true)"
            )
        if ended.stopped:
            begun = _BEGUN.encode() in ended.output
            raise Unreachable(self._failed(ended.errors.decode("utf-8", "replace"), begun))
        return ended.code, ended.output, ended.errors

    def _failed(self, errors: str, begun: bool) -> str:
        if not (begun or errors.strip() or self.configured("hostname")):
            # It does not even get as far as its own configuration, and so not to DNS.
            return (
                f"ssh on this machine printed nothing within {CONNECT_SECONDS} s: check it and its configuration "
                f"(ssh -V; ssh -G {self.address.name})"
            )
        return why(self.name, self._running.name, errors, begun)


def _require_ssh() -> None:
    import shutil

    if not shutil.which("ssh"):
        raise Unreachable(
            "ssh is not installed on this machine, not on its PATH, or not executable: apt-get install openssh-client"
        )


def _short_folder() -> str | None:
    """A folder in which a socket's path is short enough for the system; None for the default one."""
    return "/tmp" if len(tempfile.gettempdir()) + 20 > _SOCKET_PATH else None
