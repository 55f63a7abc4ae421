"""The lock on a deployment, and the program on its host that runs steps for as long as it is held.

The program undoes what was begun when this side goes silent, so that a runner that is killed, or a connection that breaks,
leaves the deployment as it was.
"""

from __future__ import annotations

import base64
import getpass
import io
import os
import shlex
import socket
import tarfile
import threading
from collections.abc import Mapping
from importlib.resources import files
from pathlib import PurePosixPath

import msgspec

from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy.steps import UNDO_SECONDS, Step
from lago_acceptance.hosts.base import Host, WriteCommand
from lago_acceptance.hosts.channel import Channel

STATE = ".lago-acceptance"
# A runner that is silent for this long is gone; a living one says so several times meanwhile.
SILENCE_SECONDS, BEAT_SECONDS = 30, 5
# The exit code of a request that failed on a full disk; its last line says so.
DISK_FULL = 28
# What the way there and back may take beside the step itself.
_MARGIN = 60.0
_SERVE = 'exec "$(command -v bash || command -v ash)" "$0" "$@"'
_INSTALL = """set -e
umask 077
[ -d "$directory" ] || { echo "there is no folder $directory"; exit 4; }
command -v flock >/dev/null || { echo "the program flock is missing: install util-linux"; exit 4; }
command -v bash >/dev/null || command -v ash >/dev/null || { echo "bash is missing: install it"; exit 4; }
mkdir -p "$directory/$state/deploys/$id"
printf '%s' "$archive" | base64 -d | gzip -dc | tar -x -f - -C "$directory/$state/deploys/$id"
"""


class Outcome(msgspec.Struct, frozen=True):
    """How a request ended: its exit code (0: done) and what it printed, without secrets."""

    code: int
    lines: tuple[str, ...]

    def why(self, seconds: float) -> str:
        """Why a request that was given so many seconds failed."""
        if self.code in (124, 137):
            return f"it took longer than {seconds:.0f} s"
        return self.last or f"exit code {self.code}"

    @property
    def last(self) -> str:
        """The last line that says something, "" if none does."""
        return next((line.strip() for line in reversed(self.lines) if line.strip()), "")


class Locked(UsageError):
    """Somebody else is changing the deployment."""


class Session:
    """One deploy on its host, with the lock. Closing it without ``accept`` or ``undo`` undoes what was begun.

    ``settings`` are the variables of shell/*.sh; they may hold secrets. Locked where another deploy goes on, UsageError where the host
    lacks what is needed.
    """

    def __init__(self, host: Host, permit: Permit, directory: str, id: str, settings: Mapping[str, str]):
        self.host, self.directory, self.id = host, directory, id
        self.folder = str(PurePosixPath(directory, STATE, "deploys", id))
        _install(host, permit, directory, id, settings)
        program = f"{self.folder}/program.sh"
        arguments = ("sh", "-c", _SERVE, program, "serve", str(SILENCE_SECONDS))
        self._channel: Channel = host.open("deploy", arguments, permit)
        answer = self._channel.receive(_MARGIN)
        if answer != "ready":
            self._channel.ended(_MARGIN)
            _, _, holder = answer.partition("\t")
            raise Locked(
                f"{directory} on {host.name} is being changed by {redact(holder) or 'somebody else'}; wait until that has "
                f"ended (lago-acceptance status shows it)"
            )
        self._unanswered = 0
        self._over, self._one = threading.Event(), threading.Lock()
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            try:
                self._channel.send("beat")
            except Unreachable:
                return

    def put(self, path: str, content: bytes) -> None:
        """Hand over a new file, by its path below the deployment's folder. It is put in place by a step."""
        encoded = base64.b64encode(content).decode("ascii")
        outcome = self._request(f"put {base64.b64encode(path.encode()).decode('ascii')} {encoded}", 60)
        if outcome.code:
            raise Unreachable(f"{path} could not be copied to {self.host.name}: {outcome.last}")

    def give(self, name: str, content: bytes) -> None:
        """Hand over what a step needs and the deployment doesn't get: the file ``given/<name>`` beside the program."""
        self.put(f"../given/{name}", content)

    def ask(self, question: str, seconds: float = 120) -> Outcome:
        """Run a function that changes nothing, ``ask_<question>``."""
        return self._request(f"ask ask_{question} {seconds:.0f}", seconds)

    def step(self, step: Step) -> Outcome:
        """Run a step. Unreachable where the connection breaks: then the host undoes what was begun."""
        return self._request(f"step {step.name} {step.seconds:.0f}", step.seconds)

    def accept(self) -> None:
        """Keep what was done. Unreachable where the host can't write that down, and so will undo it."""
        if (done := self._request("accept", 10)).code:
            raise Unreachable(f"{self.host.name} could not note that the deploy stays: {done.last}")

    def undo(self) -> Outcome:
        """Undo the steps that were begun, the last first."""
        return self._request("undo", UNDO_SECONDS * 3)

    def _request(self, request: str, seconds: float) -> Outcome:
        """The answer to a request; those of several threads are made one after the other."""
        with self._one:
            return self._answered(request, seconds)

    def _answered(self, request: str, seconds: float) -> Outcome:
        self._channel.send(request)
        self._unanswered += 1
        lines: list[str] = []
        while True:
            line = self._channel.receive(seconds + _MARGIN)
            if line.startswith("= "):
                self._unanswered -= 1
                if self._unanswered:
                    # The answer to a request whose wait was interrupted.
                    lines.clear()
                    continue
                return Outcome(int(line[2:]), tuple(redact("\n".join(lines)).splitlines()))
            lines.append(line.removeprefix("> "))

    def close(self) -> None:
        """Release the lock, after what the host still has to undo."""
        self._over.set()
        self._channel.ended(UNDO_SECONDS)


def settle(host: Host, permit: Permit, directory: str, id: str) -> Outcome:
    """Undo what an earlier deploy has begun and not finished. Locked where somebody is at it."""
    program = str(PurePosixPath(directory, STATE, "deploys", id, "program.sh"))
    arguments = ("sh", "-c", _SERVE, program, "settle")
    done = host.change(WriteCommand("undoing a deploy", arguments, deadline=UNDO_SECONDS * 3), permit)
    if done.output.startswith("locked\t"):
        holder = done.output.partition("\t")[2].strip()
        raise Locked(f"{directory} on {host.name} is being changed by {holder}")
    return Outcome(done.code, tuple(done.output.splitlines()))


def _install(host: Host, permit: Permit, directory: str, id: str, settings: Mapping[str, str]) -> None:
    texts = {**_program(), "settings": assignments(settings)}
    variables = {
        "directory": directory,
        "state": STATE,
        "id": id,
        "archive": packed({name: text.encode("utf-8", "surrogateescape") for name, text in texts.items()}),
    }
    done = host.change(
        WriteCommand("preparing the deploy", ("sh", "-c", _INSTALL), variables, deadline=60), permit
    )
    if done.code:
        said = done.stopped or next(
            iter(reversed(done.output.strip().splitlines())), f"exit code {done.code}"
        )
        raise UsageError(f"nothing can be deployed to {directory} on {host.name}: {said}")


def packed(contents: Mapping[str, bytes]) -> str:
    """Files of mode 600, by their paths, as a compressed tar in base64: one variable has room for 128 KiB."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, content in contents.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o600
            archive.addfile(member, io.BytesIO(content))
    return base64.b64encode(made.getvalue()).decode("ascii")


def part(name: str) -> str:
    """The text of one part of the host's program."""
    return (files(__package__) / "shell" / f"{name}.part.sh").read_text("utf-8")


def holder(purpose: str, id: str) -> str:
    """Who holds the lock, as others are shown it."""
    return f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}, {purpose} {id}"


def _program() -> dict[str, str]:
    folder = files(__package__) / "shell"
    return {each.name: each.read_text("utf-8") for each in folder.iterdir() if each.name.endswith(".sh")}


def assignments(settings: Mapping[str, str]) -> str:
    """Variables as the shell reads them, an assignment on each line."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
