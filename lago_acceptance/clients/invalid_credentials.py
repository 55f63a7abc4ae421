"""What is asked of Lago and its gateway by their public names, with nobody's credentials.

None of it needs the host's facts, so it can be asked while those are taken.
"""

from __future__ import annotations

import secrets
from functools import cached_property

from lago_acceptance.clients import connection
from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.gateway import Gateway, operations
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.roles import API, GATEWAY
from lago_acceptance.core.secrets import Secret
from lago_acceptance.probes.public_endpoints import PublicEndpoints

ORGANIZATION = "/api/v1/organizations"
# The gateway answers from its own tables after up to 15 s when Lago hangs.
GATEWAY_SECONDS = 20.0


class InvalidCredentials:
    """Credentials that nobody has, the same ones for a whole run."""

    def __init__(self) -> None:
        self.email = f"nobody-{secrets.token_hex(6)}@example.test"
        self.password = Secret(secrets.token_hex(12))
        self.key = Secret(f"a-key-of-nobody-{secrets.token_hex(8)}")
        self.garbage = Secret("not.a.token")

    @cached_property
    def forged(self) -> Secret:
        """A token of the form that a gateway takes, which no issuer has signed."""
        from lago_acceptance.clients.token_issuer import Issuer
        from lago_acceptance.core.run import tenant_of

        return Issuer(tenant_of("nobody")).forged()

    def headers(self, bare: Secret | None = None) -> dict[str, dict[str, str]]:
        """What Lago's API refuses, by how it is asked; ``bare`` is a key that is good but for its scheme."""
        return {
            "without a key": {},
            "with a wrong key": {"Authorization": f"Bearer {self.key.reveal()}"},
            "with a key and no scheme": {"Authorization": (bare or self.key).reveal()},
        }


def connect(view: PublicEndpoints, role: str) -> Connection:
    """A connection to the API or the gateway by its public name."""
    return connection.through(view, role, GATEWAY_SECONDS if role == GATEWAY else connection.SECONDS)


def connect_ahead(view: PublicEndpoints, role: str, nobody: InvalidCredentials) -> Connection:
    """The same, with the answers that checks will ask for; what went wrong, they are told as if they had asked."""
    made = connect(view, role)
    with made.ahead():
        Attempt.of(_ask_api if role == API else _ask_gateway, made, nobody)
    return made


def _ask_api(api: Connection, nobody: InvalidCredentials) -> None:
    api.ask("GET", "/health")
    for headers in nobody.headers().values():
        api.ask("GET", ORGANIZATION, headers=headers)
    try:
        GraphQL(api).login(nobody.email, nobody.password)
    except LoginRefused:
        return


def _ask_gateway(asked: Connection, nobody: InvalidCredentials) -> None:
    gateway = Gateway(asked)
    gateway.health()
    there = operations(gateway.openapi())
    if "plans" in there:
        gateway.plans(there["plans"])
    if "subscriptions" in there:
        for token in (None, nobody.garbage, nobody.forged):
            gateway.read(there["subscriptions"], token)
