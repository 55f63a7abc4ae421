"""The receiver of a stack's webhooks, and the check of their signatures."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from lago_acceptance.core.documents import parse
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes import loop
from lago_acceptance.probes.http import Client, errors

SECONDS = 10.0
# All webhooks of a run, with their documents.
LARGEST = 32 * 2**20


class Delivery(msgspec.Struct, frozen=True):
    """One webhook as it arrived, with header names as they were sent."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object, empty if it is not one."""
        try:
            found = parse(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def type(self) -> str:
        """The webhook's type, such as invoice.created."""
        return str(self.document.get("webhook_type", ""))

    def trouble(self, public_key: str) -> str | None:
        """What is wrong with the signature under a public key (PEM), or None (docs/lago-facts.md, section 3.9)."""
        import jwt

        token = {name.lower(): value for name, value in self.headers.items()}.get("x-lago-signature")
        if not token:
            return "has no X-Lago-Signature"
        try:
            claims = jwt.decode(token, public_key, algorithms=["RS256"], options={"verify_aud": False})
        except jwt.PyJWTError as error:
            return f"is not signed with the key that the API serves ({error})"
        try:
            signed = parse(claims["data"])
        except (KeyError, TypeError, ValueError):
            return "has a signature that contains no document"
        return None if signed == self.document else "has a signature for another document, not for its body"


class WebhookReceiver:
    """One receiver: ``inside`` is its URL for Lago's worker ("" if there is none), ``outside`` for this machine."""

    def __init__(self, inside: str, outside: str):
        self.inside, self._outside = inside, outside

    @cached_property
    def _client(self) -> Client:
        return Client(None)

    def deliveries(self) -> list[Delivery]:
        """Everything that has arrived so far, oldest first."""
        return msgspec.convert(self._get("/deliveries"), list[Delivery])

    def key_requests(self) -> int:
        """How often the keys of this run's token issuer were fetched."""
        return int(self._get("/asked")["jwks"])

    def _get(self, path: str) -> Any:
        import httpx

        failures: tuple[type[Exception], ...] = (*errors(), ValueError)
        # The receiver is part of the suite: its failure says nothing about the deployment.
        try:
            request = httpx.Request("GET", self._outside + path)
            answer = loop.run(self._client.transfer(request, SECONDS, LARGEST))
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
            return parse(answer.content)
        except failures as error:
            raise Unknown(
                f"the suite's own webhook receiver does not answer: {error!r}",
                why="the suite's own webhook receiver does not answer",
                fix="run again while nothing else stops containers here",
            ) from error
