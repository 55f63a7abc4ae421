"""Lago's REST API, as far as the suite uses it (docs/lago-facts.md, sections 3.1 to 3.9)."""

from __future__ import annotations

from typing import Any

from lago_acceptance.clients.answers import ApiAnswer
from lago_acceptance.clients.connection import Connection
from lago_acceptance.core.secrets import Secret

Document = dict[str, Any]
# Whose answer shows whether a key is accepted.
ORGANIZATION = "/api/v1/organizations"


class Lago:
    """One organization of a Lago. Amounts are integers in cents; ids with dots can't be asked for."""

    def __init__(self, connection: Connection, key: Secret):
        self.connection, self._key = connection, key

    def ask(self, method: str, path: str, body: Document | None = None, **query: Any) -> ApiAnswer:
        """One request under /api/v1 with the organization's key."""
        return self.connection.ask(method, f"/api/v1/{path}", body, self._key, query=query)

    def get(self, path: str, kind: str, **query: Any) -> Document:
        """One object; Refused or NotAnswered where it does not come."""
        return self.ask("GET", path, **query).part(kind)

    def some(self, collection: str, **query: Any) -> list[Document]:
        """The first page of a list."""
        return self.ask("GET", collection, **query).part(collection, list)

    def count(self, collection: str, **query: Any) -> int:
        """How many objects a list has."""
        return self.ask("GET", collection, per_page=1, **query).part("meta")["total_count"]

    def find(self, path: str, kind: str, **query: Any) -> Document | None:
        """One object, or None where Lago says that there is none."""
        answer = self.ask("GET", path, **query)
        return None if answer.status == 404 else answer.part(kind)

    def all(self, collection: str, **query: Any) -> list[Document]:
        """Every object of a list, page by page (100 a page)."""
        found: list[Document] = []
        page, following = 0, 1
        # Forwards alone: a list that leads back to a page would have no end.
        while following and following > page:
            page = following
            answer = self.ask("GET", collection, page=page, per_page=100, **query)
            found += answer.part(collection, list)
            following = answer.part("meta").get("next_page")
        return found

    def create(self, collection: str, kind: str, values: Document) -> Document:
        """Make one object; what Lago keeps of it, which may be less than was sent."""
        return self.ask("POST", collection, {kind: values}).part(kind)

    def update(self, path: str, kind: str, values: Document) -> Document:
        """Change one object; what Lago keeps of it."""
        return self.ask("PUT", path, {kind: values}).part(kind)

    def terminate(self, subscription: str) -> Document:
        """End an active subscription."""
        return self.ask("DELETE", f"subscriptions/{subscription}").part("subscription")

    def delete(self, path: str, **query: Any) -> bool:
        """Delete one object; False where there was none. A plan goes only when the worker has run."""
        answer = self.ask("DELETE", path, **query)
        if answer.status != 404:
            answer.taken()
        return answer.status != 404

    def organization(self) -> Document:
        """The organization that the key belongs to."""
        return self.get("organizations", "organization")

    def usage(self, customer: str, subscription: str) -> Document:
        """The running period's usage; ``units`` are decimal texts. The first look fills Lago's cache."""
        return self.get(
            f"customers/{customer}/current_usage", "customer_usage", external_subscription_id=subscription
        )

    def public_key(self) -> str:
        """The PEM of the key that webhooks are signed for, as the API serves it
        (docs/lago-facts.md, section 3.4).
        """
        import base64

        answer = self.ask("GET", "webhooks/json_public_key")
        try:
            return base64.b64decode(answer.part("webhook")["public_key"]).decode()
        except (KeyError, TypeError, ValueError):
            answer.refuse("receivers can't verify the signatures of webhooks")
