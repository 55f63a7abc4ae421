"""What both targets have in common: the deployment's public names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.probes.public_endpoints import PublicEndpoints

if TYPE_CHECKING:
    from lago_acceptance.clients.connection import Connection
    from lago_acceptance.clients.invalid_credentials import InvalidCredentials
    from lago_acceptance.probes.survey import PublicSurvey


class FromOutside(ABC):
    """The public side of a target."""

    settings: Settings
    """What is given, and what the deployment says of itself."""

    @abstractmethod
    def public_view(self) -> PublicEndpoints:
        """Where the deployment is seen from outside."""

    @cached_property
    def public_urls(self) -> dict[str, PublicUrl]:
        """Where the public reaches front, API and gateway, as far as it is known, by role."""
        return {role: url for role in (FRONT, API, GATEWAY) if (url := self.settings.url(role))}

    @cached_property
    def invalid_credentials(self) -> InvalidCredentials:
        """Credentials that are valid nowhere, the same ones for the whole run."""
        from lago_acceptance.clients.invalid_credentials import InvalidCredentials

        return InvalidCredentials()

    def connection(self, role: str) -> Connection:
        """A connection to the API or the gateway by its public name."""
        from lago_acceptance.clients.prefetch import connect

        return connect(self.public_view(), role)

    def survey(self) -> PublicSurvey:
        """What is seen from outside, now."""
        from lago_acceptance.probes.survey import survey

        return survey(self.public_view(), self.settings.edge.closed_ports)
