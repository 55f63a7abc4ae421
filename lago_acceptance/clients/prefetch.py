"""Connections to Lago and its gateway by public name, and early requests that need no facts of the host."""

from __future__ import annotations

from lago_acceptance.clients import connection
from lago_acceptance.clients.connection import Connection
from lago_acceptance.clients.gateway import OF_A_TENANT, Gateway, operations
from lago_acceptance.clients.graphql import GraphQL, LoginRefused
from lago_acceptance.clients.invalid_credentials import InvalidCredentials
from lago_acceptance.clients.lago import ORGANIZATION
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.roles import API, GATEWAY
from lago_acceptance.probes.public_endpoints import PublicEndpoints

# When Lago hangs, the gateway answers from its own tables after up to 15 s.
GATEWAY_SECONDS = 20.0


def connect(view: PublicEndpoints, role: str) -> Connection:
    """A connection to the API or the gateway by its public name."""
    return connection.through(view, role, GATEWAY_SECONDS if role == GATEWAY else connection.SECONDS)


def prefetched(view: PublicEndpoints, role: str, invalid_credentials: InvalidCredentials) -> Connection:
    """A connection that already has the answers to the checks' requests. A failure is raised when a check asks."""
    made = connect(view, role)
    with made.ahead():
        Attempt.of(_ask_api if role == API else _ask_gateway, made, invalid_credentials)
    return made


def _ask_api(api: Connection, invalid_credentials: InvalidCredentials) -> None:
    api.answering()
    for headers in invalid_credentials.headers().values():
        api.ask("GET", ORGANIZATION, headers=headers)
    try:
        GraphQL(api).login(invalid_credentials.email, invalid_credentials.password)
    except LoginRefused:
        return


def _ask_gateway(asked: Connection, invalid_credentials: InvalidCredentials) -> None:
    gateway = Gateway(asked)
    gateway.health()
    offered = operations(gateway.openapi())
    if "plans" in offered:
        Attempt.of(gateway.plans, offered["plans"])
    routes = [offered[name] for name in OF_A_TENANT if name in offered]
    for route in routes:
        Attempt.of(gateway.read, route)
    for token in (invalid_credentials.garbage, invalid_credentials.forged) if routes else ():
        Attempt.of(gateway.read, routes[0], token)
        Attempt.of(gateway.read_by_header, routes[0], token)
