"""testcontainers starts and stops the stack; composefile/cli.py makes the arguments, and the host runs them."""

from __future__ import annotations

from collections.abc import Callable
from subprocess import CompletedProcess

from testcontainers.compose import DockerCompose

from lago_acceptance.composefile.cli import Project
from lago_acceptance.core.permit import Permit
from lago_acceptance.hosts.base import CommandResult, Host, WriteCommand

# Nothing is pulled here: images/resolve.py decides which image runs.
FLAGS = {"up": ("--quiet-pull", "--no-build"), "down": ("--timeout", "0", "--remove-orphans")}


class RunCompose(DockerCompose):
    """A Compose project whose commands run on a host under a permit, and can be ended early.

    ``services`` are started with what they depend on, all of them if none is named.
    """

    def __init__(
        self,
        project: Project,
        host: Host,
        permit: Permit,
        deadline: float,
        give_up: Callable[[], str | None] | None = None,
        services: tuple[str, ...] = (),
    ):
        super().__init__(project.directory, wait=False, services=list(services))
        self._project, self._host, self._permit = project, host, permit
        self._deadline, self._give_up = deadline, give_up
        self.outcome: CommandResult | None = None

    @property
    def compose_command_property(self) -> list[str]:
        return self._project.arguments()

    def _run_command(self, cmd: str | list[str], context: str | None = None) -> CompletedProcess[bytes]:
        cmd = [cmd] if isinstance(cmd, str) else cmd
        verb = next(word for word in cmd if word in FLAGS)
        change = WriteCommand(
            f"docker compose {verb}",
            (*cmd, *FLAGS[verb]),
            self._project.environment(),
            str(self._project.directory),
            self._deadline,
        )
        self.outcome = self._host.change(change, self._permit, self._give_up)
        return CompletedProcess(cmd, self.outcome.code, self.outcome.output.encode(), b"")

    def run(self, verb: str) -> CommandResult:
        """Start ("up") or stop ("down") the project; how Compose ended."""
        if verb == "up":
            self.start()
        else:
            self.stop()
        if self.outcome is None:
            raise RuntimeError(f"testcontainers ran nothing for {verb}")
        return self.outcome
