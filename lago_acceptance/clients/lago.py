"""The part of Lago's REST API that the suite uses (docs/lago-facts.md, sections 3.1 to 3.9)."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from lago_acceptance.clients import shapes
from lago_acceptance.clients.answers import ApiAnswer, not_answered
from lago_acceptance.clients.connection import LARGEST, Connection
from lago_acceptance.clients.paths import path_of
from lago_acceptance.core.secrets import Secret

Document = dict[str, Any]
# A path whose answer shows whether a key is accepted.
ORGANIZATION = "/api/v1/organizations"
# For all pages of a list together.
LIST_SECONDS = 60.0


class _Count(msgspec.Struct):
    total_count: int


class _Page(msgspec.Struct):
    next_page: int | None = None


class Lago:
    """One organization of a Lago. Amounts are integers in cents; ids with dots can't be used in paths.

    Every object has its kind's shape (clients/shapes.py), or Refused is raised.
    """

    def __init__(self, connection: Connection, key: Secret):
        self.connection, self._key = connection, key

    def ask(self, method: str, path: str, body: Document | None = None, **query: Any) -> ApiAnswer:
        """One request under /api/v1 with the organization's key."""
        return self.connection.ask(method, f"/api/v1/{path}", body, self._key, query=query)

    def get(self, path: str, kind: str, **query: Any) -> Document:
        """One object; Refused or NotAnswered if Lago does not send it."""
        return self._one(kind, self.ask("GET", path, **query))

    def some(self, collection: str, **query: Any) -> list[Document]:
        """The first page of a list."""
        return self._many(collection, self.ask("GET", collection, **query))

    def count(self, collection: str, **query: Any) -> int:
        """How many objects a list has."""
        return self.ask("GET", collection, per_page=1, **query).part("meta", _Count).total_count

    def find(self, path: str, kind: str, **query: Any) -> Document | None:
        """One object, or None if Lago answers 404."""
        answer = self.ask("GET", path, **query)
        return None if answer.status == 404 else self._one(kind, answer)

    def all(self, collection: str, **query: Any) -> list[Document]:
        """Every object of a list, page by page (100 a page). NotAnswered for a list without end."""
        found: list[Document] = []
        page = size = 0
        end = time.monotonic() + LIST_SECONDS
        following: int | None = 1
        # Only forwards: a list that refers to an earlier page would never end.
        while following and following > page:
            page = following
            answer = self.ask("GET", collection, page=page, per_page=100, **query)
            found += self._many(collection, answer)
            size += answer.size
            if size > LARGEST:
                why = f"the list has not ended after {page} pages and {LARGEST >> 20} MiB"
                raise not_answered(answer.role, "too-large", answer.asked, why)
            if time.monotonic() > end:
                why = f"the list has not ended after {page} pages and {LIST_SECONDS:.0f} s"
                raise not_answered(answer.role, "slow", answer.asked, why)
            following = answer.part("meta", _Page).next_page
        return found

    def create(self, collection: str, kind: str, values: Document) -> Document:
        """Create one object; returns what Lago stored, which may be less than was sent."""
        return self._one(kind, self.ask("POST", collection, {kind: values}))

    def update(self, path: str, kind: str, values: Document) -> Document:
        """Change one object; returns what Lago stored."""
        return self._one(kind, self.ask("PUT", path, {kind: values}))

    def terminate(self, subscription: str) -> Document:
        """End an active subscription."""
        return self._one("subscription", self.ask("DELETE", path_of("subscriptions", subscription)))

    def delete(self, path: str, **query: Any) -> bool:
        """Delete one object; False if there was none. A plan is only deleted when the worker has run."""
        answer = self.ask("DELETE", path, **query)
        if answer.status != 404:
            answer.taken()
        return answer.status != 404

    def organization(self) -> Document:
        """The organization that the key belongs to."""
        return self.get("organizations", "organization")

    def usage(self, customer: str, subscription: str) -> Document:
        """Usage in the current period; ``units`` are decimal texts. The first request fills Lago's cache."""
        path = path_of("customers", customer, "current_usage")
        return self.get(path, "customer_usage", external_subscription_id=subscription)

    def public_key(self) -> str:
        """The public key for the signatures of webhooks, as the API serves it, in PEM (docs/lago-facts.md, section 3.4)."""
        import base64

        answer = self.ask("GET", "webhooks/json_public_key")
        try:
            return base64.b64decode(self._one("webhook", answer)["public_key"]).decode()
        except ValueError:
            answer.refuse("receivers can't verify the signatures of webhooks")

    @staticmethod
    def _one(kind: str, answer: ApiAnswer) -> Document:
        found: Document = answer.shaped(kind, shapes.of(kind))
        return found

    @staticmethod
    def _many(collection: str, answer: ApiAnswer) -> list[Document]:
        found: list[Document] = answer.shaped(collection, shapes.listed(collection))
        return found
