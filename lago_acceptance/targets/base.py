"""What a target is: one protocol, so that no test needs to know which one it checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from lago_acceptance.core.settings import Settings
from lago_acceptance.facts.types import Facts
from lago_acceptance.probes.public_endpoints import PublicEndpoints

if TYPE_CHECKING:
    from lago_acceptance.clients.connection import Connection
    from lago_acceptance.clients.invalid_credentials import InvalidCredentials
    from lago_acceptance.core.permit import Permit
    from lago_acceptance.core.secrets import Secret
    from lago_acceptance.facts.inside import InsideView
    from lago_acceptance.hosts.base import Host
    from lago_acceptance.images.resolve import ResolvedImage
    from lago_acceptance.probes.survey import PublicSurvey
    from lago_acceptance.targets.stack.gateway import GatewayStack
    from lago_acceptance.targets.stack.startup import BringUp


class Target(Protocol):
    """A deployment under test."""

    wants_gateway: bool
    """Whether to start a gateway beside it; set before ``prepare``."""

    @property
    def given(self) -> Settings:
        """What a settings file says of the deployment."""

    @property
    def settings(self) -> Settings:
        """What is given, else what the deployment says of itself; complete after ``up``."""

    @property
    def host(self) -> Host:
        """The Docker host that it runs on."""

    @property
    def images(self) -> Mapping[str, ResolvedImage]:
        """The images that were resolved for it, by the references of its files."""

    @property
    def remarks(self) -> Sequence[str]:
        """Notes on the preparation, for the report."""

    @property
    def bring_up(self) -> BringUp | None:
        """How bringing it up ended; None for what was up already."""

    @property
    def permit(self) -> Permit | None:
        """The right to write into it, or None."""

    @property
    def gateway(self) -> GatewayStack | None:
        """The gateway that was started beside it, or None."""

    @property
    def no_gateway(self) -> str:
        """Why no gateway was started although one was wanted, or ""."""

    @property
    def api_key(self) -> Secret | None:
        """The organization's API key, where the deployment's files hold it."""

    @property
    def admin(self) -> tuple[str, Secret] | None:
        """The administrator's address and password, where the deployment's files hold them."""

    @property
    def invalid_credentials(self) -> InvalidCredentials:
        """Credentials that are valid nowhere, the same ones for the whole run."""

    def prepare(self) -> None:
        """Check that the target can be used. UsageError or Unreachable where it can't."""

    def up(self) -> None:
        """Get it ready to be observed; never raises for the deployment's own fault."""

    def observe(self) -> Facts:
        """The facts of its host, in one round trip."""

    def read_inside(self, facts: Facts) -> InsideView:
        """Lago as gateway and API see it inside their containers."""

    def survey(self) -> PublicSurvey:
        """What is seen from outside."""

    def public_view(self) -> PublicEndpoints:
        """Where it is seen from outside."""

    def connection(self, role: str) -> Connection:
        """A connection to the API or the gateway by its public name."""

    def own_organization(self, facts: Facts) -> Secret | None:
        """The key of an organization that a run may write into; None where the whole deployment was made for the run."""

    def network(self, which: str) -> str:
        """Docker's name of the network that is shared with the ``proxy`` or the ``gateway``."""

    def kept(self) -> Sequence[str]:
        """Leave it up; what the user has to know of it then, a sentence each."""

    def down(self) -> str:
        """Undo what ``up`` did; what is left afterwards, or ""."""
