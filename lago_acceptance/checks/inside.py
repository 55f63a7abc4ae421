"""Lago as the gateway's container sees it, and as it sees itself: read inside, so that no key leaves its
container.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import redact
from lago_acceptance.core.verdicts import Unknown, Unreachable
from lago_acceptance.facts.types import Container, Facts

_GATEWAY_TELLS = ("url", "has-key", "addresses", "resolver", "health", "stranger", "organization")
# What scripts/gateway_view.sh says where nothing there speaks HTTP.
NO_CLIENT = "neither curl nor python3 is in this container"
LIMITED = "the key in the {}'s container may not read the {} (403): from 1.21 on Lago's keys have permissions"


class Inside(msgspec.Struct, frozen=True):
    """One answer that was got inside a container. ``status`` 0: none came, and ``text`` says why."""

    status: int
    text: str

    @property
    def document(self) -> Any:
        """The body as JSON, None where it is something else."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def said(self) -> str:
        """Status and the first 300 characters, for a message."""
        return f"{self.status or 'no answer'}: {redact(' '.join(self.text.split()))[:300]}"


class InsideView(msgspec.Struct, frozen=True):
    """What was seen. Names of answers: gateway-health, gateway-organization, gateway-stranger (asked with a
    key that nobody has), api-health, api-organization, api-plans, api-metrics.
    """

    texts: dict[str, str]
    answers: dict[str, Inside]
    gateway: Container | None
    api: Container | None

    @property
    def addresses(self) -> tuple[str, ...]:
        """All addresses that Lago's name has in the gateway's container."""
        return tuple(self.texts.get("gateway-addresses", "").split())

    @property
    def url(self) -> str:
        """Where the gateway looks for Lago: its LAGO_API_URL, else http://lago-api:3000."""
        return self.texts.get("gateway-url", "")

    @property
    def by_public_name(self) -> bool:
        """Whether the gateway reaches Lago as everybody does, through the proxy: its name has dots."""
        host = urlsplit(self.url).hostname or ""
        return "." in host and not host.replace(".", "").isdigit()

    @property
    def unresolved(self) -> str:
        """Why nobody can tell which addresses Lago's name has there, or ""."""
        nobody = "neither getent nor python3 is in the gateway's container"
        return nobody if self.texts.get("gateway-resolver") == "none" else ""

    def has_key(self, who: str) -> bool:
        """Whether the gateway's container, or one of Lago's (``api``), was given LAGO_API_KEY."""
        return self.texts.get(f"{who}-has-key") == "yes"

    def lacks_key(self, who: str) -> bool:
        """Whether none was given there, which is not known where nothing could be asked."""
        return self.texts.get(f"{who}-has-key") == "no"

    def of_api(self, name: str, wanted: str) -> Inside:
        """What Lago said of itself. Unknown where it did not answer in time, or the key may not read it."""
        answer = self.answers.get(name)
        if answer is None:
            raise Unknown(f"Lago gave no answer for its {wanted} inside its container in time")
        if answer.status == 403:
            raise Unknown(LIMITED.format("API", wanted))
        return answer

    def listed(self, name: str, collection: str) -> list[dict[str, Any]]:
        """A list that Lago gave inside its own container. Unknown without a key there, Red for another
        answer.
        """
        if name not in self.answers and not self.api:
            raise Unknown("no API container runs, so Lago can't be asked from inside")
        if name not in self.answers and self.lacks_key("api"):
            raise Unknown("no container of Lago has LAGO_API_KEY, so Lago can't be asked from inside")
        answer = self.of_api(name, collection)
        found = answer.document
        if answer.status != 200 or not isinstance(found, dict) or collection not in found:
            raise Red(
                Finding(
                    id="api-key-refused" if answer.status == 401 else "api-refused",
                    role=API,
                    problem=f"Lago answers for its {collection}, asked inside its container, with "
                    f"{answer.said}",
                    impact="nobody who uses the configured key can bill",
                    fix="for 401 put the organization's real key into LAGO_API_KEY (Developers, API keys); "
                    "for 500 read the API's log",
                )
            )
        if (found.get("meta") or {}).get("next_page"):
            raise Unknown(f"Lago has more {collection} than it tells at once ({len(found[collection])})")
        listed: list[dict[str, Any]] = found[collection]
        return listed

    def asked(self, name: str) -> Inside:
        """An answer that the gateway's container was to get. Unknown where nothing there could ask for it."""
        answer = self.answers.get(name)
        if answer is None:
            raise Unknown(
                "nothing could be run inside the gateway's container in time, so nobody asked Lago there"
            )
        if NO_CLIENT in answer.text:
            raise Unknown(f"{NO_CLIENT}, so nobody can ask Lago there as the gateway does")
        return answer


def view_of(facts: Facts) -> InsideView:
    """What the facts hold of it. Unreachable where an answer did not arrive whole."""
    texts: dict[str, str] = {}
    answers: dict[str, Inside] = {}
    known = {container.id: container for container in (*facts.containers, *facts.others)}
    id, output = next(iter(facts.gateways.items()), ("", ""))
    parts: dict[str, list[str]] = {}
    for line in output.splitlines():
        name, _, rest = line.partition(" ")
        # What else is printed there is Docker's word on a container that can't be asked.
        if name in _GATEWAY_TELLS:
            parts.setdefault(f"gateway-{name}", []).append(rest)
    for name, encoded in parts.items():
        try:
            value = base64.b64decode("".join(encoded), validate=True).decode("utf-8", "replace")
        except binascii.Error as error:
            raise Unreachable(f"the answer {name} did not arrive whole ({error}); try again") from error
        body, _, status = value.rpartition("\n")
        if status.isdigit():
            answers[name] = Inside(int(status), body)
        else:
            texts[name] = value.strip()
    api = facts.running(API)
    said = facts.process(api)
    if said.with_key is not None:
        texts["api-has-key"] = "yes" if said.with_key else "no"
    for name, answer in said.inside.items():
        answers[f"api-{name}"] = Inside(*answer)
    return InsideView(texts, answers, known.get(id), api)
