"""What a target is: one protocol, so that no test asks which vantage point it runs from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lago_acceptance.facts.types import Facts
from lago_acceptance.probes.public_endpoints import PublicEndpoints

if TYPE_CHECKING:
    from lago_acceptance.checks.inside import InsideView
    from lago_acceptance.clients.connection import Connection
    from lago_acceptance.clients.invalid_credentials import InvalidCredentials
    from lago_acceptance.core.permit import Permit
    from lago_acceptance.core.secrets import Secret
    from lago_acceptance.hosts.base import Host
    from lago_acceptance.probes.survey import PublicSurvey
    from lago_acceptance.reports.last_run import LastRunFile
    from lago_acceptance.targets.stack.gateway import GatewayStack
    from lago_acceptance.targets.stack.startup import BringUp


class Target(Protocol):
    """A deployment that can be looked at."""

    how_to_remove: str
    bring_up: BringUp | None
    host: Host

    # The right to write into the deployment, or None; the gateway that was started beside it, where one was
    # wanted, and why there is none although it was ("" where that says nothing about the deployment); the
    # organization's key, and the administrator's address and password, as far as the deployment's files say.
    permit: Permit | None
    wants_gateway: bool
    gateway: GatewayStack | None
    no_gateway: str
    api_key: Secret | None
    admin: tuple[str, Secret] | None

    def prepare(self) -> None:
        """Find out whether the target can be used. UsageError or Unreachable where it can't."""

    def up(self) -> None:
        """Make it ready to be looked at; never raises for the deployment's own fault."""

    def observe(self) -> Facts:
        """The facts of its host, in one round trip."""

    def public_view(self) -> PublicEndpoints:
        """Where it is seen from outside."""

    def look_inside(self, facts: Facts) -> InsideView:
        """Lago as gateway and API see it inside of their containers."""

    def own_organization(self, facts: Facts) -> Secret | None:
        """The key of an organization that a run may write into; None where the whole deployment was made for
        the run."""

    nobody: InvalidCredentials

    def connection(self, role: str) -> Connection:
        """A connection to the API or the gateway by its public name."""

    def look(self) -> PublicSurvey:
        """What is seen from there."""

    @property
    def memory(self) -> LastRunFile | None:
        """What the last look has left on this machine; None where what is looked at was made for this run."""

    def network(self, which: str) -> str:
        """Docker's name of the network that is shared with the ``proxy`` or the ``gateway``."""

    def down(self) -> str:
        """Undo what ``up`` did; what could not be undone, "" when nothing is left."""
