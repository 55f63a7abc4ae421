"""A change to a deployment that is smaller than a deploy: under the same lock, undone by itself where it is cut off."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Self

import msgspec

from lago_acceptance.core import interrupts
from lago_acceptance.core import run as runs
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.settings import Deployment, Gateway
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.deploy import state
from lago_acceptance.deploy.session import STATE, Locked, Outcome, Session, holder
from lago_acceptance.deploy.steps import UNDO_SECONDS, Step
from lago_acceptance.hosts.base import Host, WriteCommand

# Rails takes ten seconds to load on an idle host.
RAILS_SECONDS = 180
_FILE_AWAY = """set -e
umask 077
cd "$1"
rm -rf "deploys/$2/new" "deploys/$2/settings"
if [ -n "$3" ]; then
    rm -f "deploys/$2"/*.sh
    mkdir -p "$3"
    mv "deploys/$2" "$3/$2"
else
    rm -rf "deploys/$2"
fi
"""


class NotChanged(Exception):
    """A change did not come to be; the text says why, and what was undone."""


_OF_GATEWAY = ("env_file", "variable", "url_variable", "container", "project", "service")


class Place(msgspec.Struct, frozen=True):
    """Where something changes: the deployment's folder and files, Lago's API container, and the gateway."""

    deployment: Deployment
    api: str
    gateway: Gateway | None = None

    @property
    def directory(self) -> str:
        """The deployment's folder."""
        return self.deployment.directory

    def variables(self, host: Host) -> dict[str, str]:
        """The variables of shell/{rails,keys,password}.part.sh."""
        gateway = self.gateway or Gateway()
        return {
            "directory": self.directory,
            "deployment_compose_file": self.deployment.compose_file,
            "deployment_env_file": self.deployment.env_file,
            "api_container": self.api,
            "compose_program": host.compose_command,
            **{f"gateway_{name}": getattr(gateway, name) for name in _OF_GATEWAY},
            **_ruby(),
        }


class SmallChange:
    """One change, from the lock to its release. Leaving the context without ``accept`` undoes what was begun.

    ``say`` gets a line about each step. Locked where the deployment is being changed already; NotChanged, with everything undone, where
    something fails. ``kept_in`` is the folder of the deployment's state that keeps what was replaced, "" to keep nothing.
    """

    purpose = kept_in = ""

    def __init__(self, host: Host, permit: Permit, place: Place, say: Callable[[str], None]):
        self._host, self._permit, self._place, self._say = host, permit, place, say
        self.id = runs.new_id()
        # What is begun and neither accepted nor undone; whether anything ever was; whether the journal says how it ended.
        self._begun = self._ever_begun = self._settled = False
        if cut := state.read(host, place.directory).unsettled:
            raise UsageError(
                f"an earlier change of {place.directory} on {host.name} was cut off in the step {cut.begun[-1]}: undo it first, "
                "with lago-acceptance rollback"
            )
        try:
            self._session = Session(host, permit, place.directory, self.id, self._settings())
        except Locked:
            self._file_away()
            raise

    def _settings(self) -> dict[str, str]:
        return self._place.variables(self._host) | {
            "deploy_id": self.id,
            "project": "",
            "who": holder(self.purpose, self.id),
            "undo_seconds": str(UNDO_SECONDS),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        with interrupts.deferred():
            try:
                if self._begun:
                    self._undo("interrupted")
            except (NotChanged, Unreachable) as ended:
                self._say(str(ended))
            finally:
                self._session.close()
                if self._settled or not self._ever_begun:
                    self._file_away()

    @property
    def kept(self) -> str:
        """The folder on the host that keeps what was replaced, afterwards."""
        return str(PurePosixPath(self._place.directory, STATE, self.kept_in, self.id))

    def put(self, name: str, text: str) -> None:
        """Hand over a text, which may be secret, as a file that the steps read."""
        self._session.put(name, text.encode("utf-8", "surrogateescape"))

    def ask(self, question: str, failed: str) -> Outcome:
        """Run a function that changes nothing. NotChanged with ``failed`` and what it printed, where it fails."""
        done = self._session.ask(question, RAILS_SECONDS)
        if done.code:
            self._undo(f"{failed}: {done.why(RAILS_SECONDS)}")
        return done

    def take(self, step: Step) -> Outcome:
        """Run a step. NotChanged where it fails."""
        self._say(step.begins)
        self._begun = self._ever_begun = True
        try:
            done = self._session.step(step)
        except Unreachable as error:
            self._begun = False
            raise NotChanged(f"{step.failed}: {error}. The host undoes the change by itself.") from error
        if done.code:
            self._undo(f"{step.failed}: {done.why(step.seconds)}")
        return done

    def refuse(self, why: str) -> None:
        """Undo what was begun, because of ``why``. NotChanged in any case."""
        self._undo(why)

    def accept(self) -> None:
        """Keep what was done."""
        self._session.accept()
        self._begun, self._settled = False, True

    def _undo(self, cause: str) -> None:
        """Undo what was begun. NotChanged in any case, which says how that went."""
        self._begun = False
        text = f"{redact(cause)}."
        if not self._ever_begun:
            raise NotChanged(f"{text} Nothing was changed.")
        with interrupts.deferred():
            done = self._session.undo()
        if done.code:
            raise NotChanged(
                f"{text} Rolling back failed too: {' '.join(done.lines)}. What was kept is in {self._session.folder}."
            )
        self._settled = True
        raise NotChanged(
            f"{text} Everything is as it was{': ' if done.lines else ''}{', '.join(done.lines)}."
        )

    def _file_away(self) -> None:
        """No secret stays, and no deploy comes across this."""
        folder = str(PurePosixPath(self._place.directory, STATE))
        arguments = ("sh", "-c", _FILE_AWAY, "sh", folder, self.id, self.kept_in if self._ever_begun else "")
        done = self._host.change(WriteCommand(f"filing {self.purpose} away", arguments), self._permit)
        if done.code:
            self._say(
                f"{folder}/deploys/{self.id} still holds a secret: remove that folder ({redact(done.output.strip())})"
            )


def _ruby() -> dict[str, str]:
    folder = files(__package__) / "ruby"
    texts = {each.name.removesuffix(".rb"): each.read_text("utf-8") for each in folder.iterdir()}
    return {f"ruby_{name}": text for name, text in texts.items()}
