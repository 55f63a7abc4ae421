"""The gateway's billing routes, as its openapi.json tells them: the plan's spelling and the running one are one thing."""

from __future__ import annotations

from typing import Any

import msgspec

from lago_acceptance.clients.connection import Answer, Connection
from lago_acceptance.errors import Blocked
from lago_acceptance.secret_values import Secret

PREFIX = "/api/billing"

# What the plan asks of a gateway: method and the spellings under which it may be found, the plan's first.
CAPABILITIES = {
    "plans": ("GET", ("plans",)),
    "subscribe": ("POST", ("subscribe",)),
    "subscriptions": ("GET", ("subscriptions", "subscription")),
    "invoices": ("GET", ("invoices",)),
    "usage": ("GET", ("usage",)),
}


class Operation(msgspec.Struct, frozen=True):
    """A route that is there: ``query`` and ``body`` are the names that it takes."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()


def operations(document: dict[str, Any]) -> dict[str, Operation]:
    """The capabilities that an openapi.json tells of, by the plan's names."""
    paths = document.get("paths") or {}
    found: dict[str, Operation] = {}
    for name, (method, spellings) in CAPABILITIES.items():
        for spelling in spellings:
            path = f"{PREFIX}/{spelling}"
            if (described := (paths.get(path) or {}).get(method.lower())) is not None:
                query = tuple(each["name"] for each in described.get("parameters", ()) if each.get("in") == "query")
                found[name] = Operation(method, path, query, _body_fields(document, described))
                break
    return found


def required(there: dict[str, Operation], name: str) -> Operation:
    """The operation of a capability; Blocked where the gateway lacks it, which is a red check of its own."""
    if name not in there:
        raise Blocked(f"gateway-lacks-{name}", f"{name}, which the gateway does not offer")
    return there[name]


def _body_fields(document: dict[str, Any], described: dict[str, Any]) -> tuple[str, ...]:
    content = (described.get("requestBody") or {}).get("content") or {}
    schema = (content.get("application/json") or {}).get("schema") or {}
    if reference := schema.get("$ref"):
        schema = document
        for part in reference.removeprefix("#/").split("/"):
            schema = schema.get(part) or {}
    return tuple(schema.get("properties") or ())


class Gateway:
    """One gateway, asked as a tenant. ``amount`` in its answers is a float in major units."""

    def __init__(self, connection: Connection):
        self.connection = connection

    def openapi(self) -> dict[str, Any]:
        """Its description of itself."""
        return self.connection.ask("GET", "/openapi.json").taken("nobody can tell what the gateway offers")

    def health(self) -> Answer:
        """Its own word on its health, which covers its database and never Lago."""
        return self.connection.ask("GET", "/health")

    def plans(self, operation: Operation) -> list[dict[str, Any]]:
        """The plans that it offers."""
        body = self.connection.ask("GET", operation.path).taken("no customer can choose a plan")
        return body if isinstance(body, list) else body.get("plans", [])

    def read(self, operation: Operation, token: Secret | None = None) -> Answer:
        """Ask for something that belongs to a tenant."""
        return self.connection.ask(operation.method, operation.path, key=token)

    def subscribe(self, operation: Operation, plan: str, tenant: str, token: Secret | None) -> Answer:
        """Subscribe a tenant to a plan, by query or by body, whichever the gateway says it takes."""
        query = {name: plan for name in operation.query if "plan" in name}
        body = {
            name: plan if "plan" in name else tenant
            for name in operation.body
            if "plan" in name or "customer" in name or "tenant" in name
        }
        return self.connection.ask(operation.method, operation.path, body or None, token, **query)
