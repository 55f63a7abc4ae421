"""The gateway's billing routes, found in its openapi.json under any of their spellings.

That document may hold anything anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.connection import Connection
from lago_acceptance.core.gateway_routes import WORDS, Route, route
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import Routes
from lago_acceptance.core.verdicts import Blocked, Unknown

PREFIX = "/api/billing"
# References may be circular, and combinations may grow with each level.
_HOPS, _SCHEMAS = 10, 200


class Capability(msgspec.Struct, frozen=True):
    """What a gateway must offer: a method, the spellings of its path (the usual one first), and the id of the finding
    if it is missing.
    """

    method: str
    spellings: tuple[str, ...]
    lacking: str


CAPABILITIES = {
    "plans": Capability("GET", ("plans",), "gateway-lacks-plans"),
    "subscribe": Capability("POST", ("subscribe",), "gateway-lacks-subscribe"),
    "subscriptions": Capability("GET", ("subscriptions", "subscription"), "gateway-lacks-subscriptions"),
    "invoices": Capability("GET", ("invoices",), "gateway-lacks-invoices"),
    "usage": Capability("GET", ("usage",), "gateway-lacks-usage"),
}
# Whose data is asked for where only the answer's status counts.
NOBODY = "nobody"
# Where the running gateway takes a token from as well, without a scheme.
OTHER_HEADER = "x-clerk-auth-token"
# Routes that need a token, and which of them an answer shows first whether it is needed.
OF_A_TENANT = ("invoices", "subscriptions")
# Members of an answer that list errors.
COMPLAINTS = ("errors", "error", "detail")


class Operation(msgspec.Struct, frozen=True):
    """A route of the gateway: ``query`` and ``body`` are the names of its parameters.

    ``told`` is what the settings name (``core.gateway_routes``), None for what the gateway says itself.
    """

    method: str
    path: str
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    told: Route | None = None


class Told(dict[str, Operation]):
    """The routes that the settings name, of a gateway that is not known here."""


def told(routes: Routes) -> Told:
    """The operations that the settings name."""
    found = {name: route(text) for name, text in msgspec.structs.asdict(routes).items()}
    return Told({name: Operation(each.method, each.path, told=each) for name, each in found.items() if each})


def not_told(name: str) -> Unknown:
    """What is said of a capability whose route the settings don't name."""
    return Unknown(
        f"gateway.routes names no route for {name}",
        why="gateway.routes in the settings does not name every route",
        fix="name those that the gateway has: plans, subscribe, subscriptions, invoices, usage",
    )


def unknown_kind() -> Unknown:
    """What is said of a gateway whose routes are not known."""
    return Unknown(
        "the gateway is none whose routes are known",
        why="the gateway is none whose routes are known",
        fix='name them in settings.toml: [gateway.routes] subscribe = "POST /v1/subscriptions plan_code={plan} customer={tenant}"',
    )


def by_effect_alone() -> Unknown:
    """What is said of how a gateway that is not known works inside."""
    return Unknown(
        "a gateway whose routes the settings name is judged by its effect in Lago alone",
        why="a gateway whose routes the settings name is judged by its effect in Lago alone",
    )


def operations(document: dict[str, Any]) -> dict[str, Operation]:
    """The capabilities that an openapi.json describes, by name."""
    # A trailing slash matters: FastAPI answers 307 without it. A prefix that the proxy strips (root_path) is under
    # servers.
    paths = {path.rstrip("/"): path for path in _object(document.get("paths"))}
    bases = ("", *dict.fromkeys(_bases(document)))
    found: dict[str, Operation] = {}
    for name, capability in CAPABILITIES.items():
        for spelling in capability.spellings:
            operation = _operation(document, capability.method, f"{PREFIX}/{spelling}", bases, paths)
            if operation:
                found[name] = operation
                break
    return found


def required(there: dict[str, Operation], name: str) -> Operation:
    """The operation of a capability. Blocked if the gateway lacks it: another check is red for that."""
    if name not in there:
        if isinstance(there, Told):
            raise not_told(name)
        raise Blocked(CAPABILITIES[name].lacking, f"{name}, which the gateway does not offer")
    return there[name]


def of_a_tenant(there: dict[str, Operation]) -> list[Operation]:
    """The reading routes that need a token, one at least. Blocked where there is none."""
    return [there[name] for name in OF_A_TENANT if name in there] or [required(there, "subscriptions")]


def _operation(
    document: dict[str, Any], method: str, wanted: str, bases: tuple[str, ...], paths: dict[str, str]
) -> Operation | None:
    for base in bases:
        path = paths.get(wanted.removeprefix(base)) if wanted.startswith(base) else None
        if path is None:
            continue
        routes = _object(document["paths"][path])
        described = routes.get(method.lower())
        if not isinstance(described, dict):
            continue
        taken = [
            _resolved(document, each)
            for each in (*_list(routes.get("parameters")), *_list(described.get("parameters")))
        ]
        query = tuple(_text(each.get("name")) for each in taken if each.get("in") == "query")
        return Operation(method, base + path, query, _body_fields(document, described))
    return None


def _bases(document: dict[str, Any]) -> Iterator[str]:
    for each in _list(document.get("servers")):
        try:
            yield urlsplit(_text(_object(each).get("url"))).path.rstrip("/")
        except ValueError:
            continue


def _resolved(document: dict[str, Any], described: Any) -> dict[str, Any]:
    """A description, or the part of the same document that it refers to."""
    found = _object(described)
    for _ in range(_HOPS):
        if not (reference := _text(found.get("$ref"))):
            return found
        found = document
        for part in reference.removeprefix("#/").split("/"):
            found = _object(found.get(part.replace("~1", "/").replace("~0", "~")))
    return {}


def _body_fields(document: dict[str, Any], described: dict[str, Any]) -> tuple[str, ...]:
    """The property names of a request's JSON, whether inline, by reference or as a combination."""
    content = _object(_resolved(document, described.get("requestBody")).get("content"))
    waiting = [_object(content.get("application/json")).get("schema")]
    names: dict[str, None] = {}
    for _ in range(_SCHEMAS):
        if not waiting:
            break
        schema = _resolved(document, waiting.pop(0))
        names |= dict.fromkeys(_object(schema.get("properties")))
        waiting += [
            each for kind in ("allOf", "anyOf", "oneOf") for each in _list(schema.get(kind))[:_SCHEMAS]
        ]
    return tuple(names)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


class Gateway:
    """One gateway, used as a tenant. ``amount`` in its answers is a float in major units."""

    def __init__(self, connection: Connection):
        self.connection = connection

    def openapi(self) -> dict[str, Any]:
        """Its OpenAPI document. Unknown if it is hidden, as FastAPI does with ``openapi_url=None``."""
        answer = self.connection.ask("GET", "/openapi.json")
        if answer.status in (401, 403, 404):
            raise Unknown(
                f"the gateway hides its openapi.json ({answer.said}), so what it offers is not known",
                why="the gateway hides its openapi.json",
                fix="serve /openapi.json, at least to this machine",
            )
        impact = "what the gateway offers can't be checked"
        if not isinstance(document := answer.taken(impact), dict):
            answer.refuse(impact)
        return document

    def health(self) -> ApiAnswer:
        """Its health endpoint, which covers its database but never Lago."""
        return self.connection.ask("GET", "/health")

    def plans(self, operation: Operation) -> list[dict[str, Any]]:
        """The plans that it offers."""
        path, asked, fields = _filled(operation, {})
        answer = self.connection.ask("GET", path, query=asked | fields)
        impact = "customers can't choose a plan"
        found = listed(answer, impact)
        if found is None:
            answer.refuse(impact)
        return found

    def read(self, operation: Operation, token: Secret | None = None, **known: str) -> ApiAnswer:
        """Read a tenant's data. ``known`` (tenant, customer, subscription) fills the route's parameters."""
        query = {name: known[word] for name in operation.query for word in known if word in name}
        path, asked, fields = _filled(operation, known)
        return self.connection.ask(operation.method, path, key=token, query=query | asked | fields)

    def read_by_header(self, operation: Operation, token: Secret) -> ApiAnswer:
        """Read a tenant's data with a token in the other header that it reads one from."""
        headers = {OTHER_HEADER: token.reveal()}
        path, asked, fields = _filled(operation, {})
        return self.connection.ask(operation.method, path, headers=headers, query=asked | fields)

    def subscribe(self, operation: Operation, plan: str, tenant: str, token: Secret | None) -> ApiAnswer:
        """Subscribe a tenant to a plan, by query or body, as the OpenAPI document says."""
        path, asked, fields = _filled(operation, {"plan": plan, "tenant": tenant})
        if operation.told:
            return self.connection.ask(operation.method, path, fields or None, token, query=asked)
        query = {name: plan for name in operation.query if "plan" in name}
        body = {
            name: plan if "plan" in name else tenant
            for name in operation.body
            if "plan" in name or "customer" in name or "tenant" in name
        }
        return self.connection.ask(operation.method, path, body or None, token, query=query)


def _filled(operation: Operation, known: Mapping[str, str]) -> tuple[str, dict[str, str], dict[str, str]]:
    """Path, query and fields of a route with what its braces stand for; somebody who is nobody's customer where that isn't known."""
    values = {word: known.get(word, NOBODY) for word in WORDS}

    def filled(text: str, quoted: Callable[[str], str]) -> str:
        for word, value in values.items():
            text = text.replace(f"{{{word}}}", quoted(value))
        return text

    def each(pairs: Mapping[str, str]) -> dict[str, str]:
        return {name: filled(value, str) for name, value in pairs.items()}

    told = operation.told or Route(operation.method, operation.path)
    return filled(told.path, lambda value: quote(value, safe="")), each(told.query), each(told.fields)


def listed(answer: ApiAnswer, impact: str) -> list[dict[str, Any]] | None:
    """The objects in an answer's list, at its top or under any name; None if it has no list.

    Refused for another status, and for a list of anything but objects.
    """
    body = answer.taken(impact)
    if isinstance(body, dict):
        lists = (each for name, each in body.items() if isinstance(each, list) and name not in COMPLAINTS)
        body = next(lists, None)
    if body is not None and not (isinstance(body, list) and all(isinstance(each, dict) for each in body)):
        answer.refuse(impact)
    return body
