"""The box in which a stack's webhooks arrive, and whether they were signed by the key that Lago serves."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from lago_acceptance.clients.connection import Connection


class Delivery(msgspec.Struct, frozen=True):
    """One webhook as it arrived. Header names as they were sent."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object, empty where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def type(self) -> str:
        """Such as invoice.created."""
        return self.document.get("webhook_type", "")

    def trouble(self, public_key: str) -> str | None:
        """What is wrong with the signature under a public key (PEM), or None
        (docs/lago-facts.md, section 3.9).
        """
        import jwt

        token = {name.lower(): value for name, value in self.headers.items()}.get("x-lago-signature")
        if not token:
            return "bears no X-Lago-Signature"
        try:
            claims = jwt.decode(token, public_key, algorithms=["RS256"], options={"verify_aud": False})
        except jwt.PyJWTError as error:
            return f"is not signed by the key that the API serves ({error})"
        try:
            signed = json.loads(claims["data"])
        except (KeyError, TypeError, ValueError):
            return "has a signature that covers no document"
        return None if signed == self.document else "has a signature over another document than its body"


class Box:
    """The box as both sides reach it: ``inside`` is its URL for Lago's worker, ``outside`` for this
    machine.
    """

    def __init__(self, inside: str, outside: str):
        self.inside = inside
        self._connection = Connection("webhook-box", outside)

    def deliveries(self) -> list[Delivery]:
        """Everything that has arrived so far, oldest first."""
        return msgspec.convert(self._connection.ask("GET", "/deliveries").taken(), list[Delivery])
