"""From the options to a target: one protocol, so that no test asks which vantage point it runs from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lago_acceptance import runs
from lago_acceptance.errors import UsageError
from lago_acceptance.facts import Facts
from lago_acceptance.options import Options
from lago_acceptance.public_view import PublicView
from lago_acceptance.settings import Settings

if TYPE_CHECKING:
    from lago_acceptance.stack import BringUp


class Target(Protocol):
    """A deployment that can be looked at."""

    how_to_remove: str
    bring_up: BringUp | None

    def prepare(self) -> None:
        """Find out whether the target can be used. UsageError or Unreachable where it can't."""

    def up(self) -> None:
        """Make it ready to be looked at; never raises for the deployment's own fault."""

    def observe(self) -> Facts:
        """The facts of its host, in one round trip."""

    def public_view(self) -> PublicView:
        """Where it is seen from outside."""

    def network(self, which: str) -> str:
        """Docker's name of the network that is shared with the ``proxy`` or the ``gateway``."""

    def down(self) -> str:
        """Undo what ``up`` did; what could not be undone, "" when nothing is left."""


def attach(options: Options, settings: Settings, run: runs.Run) -> Target:
    """The target that the options name. Nothing is touched yet."""
    if options.target == "stack":
        from lago_acceptance.stack import Stack

        return Stack(options, settings, run)
    raise UsageError("--target live is not there yet; only a stack can be checked")
