"""What was answered inside the containers of gateway and API: read there, so that no key leaves its container."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from lago_acceptance.core.roles import API, GATEWAY
from lago_acceptance.core.secrets import excerpt
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.types import Container, Facts
from lago_acceptance.facts.untrusted import decoded, whole_number

_NAMES_OF_THE_GATEWAY = ("url", "has-key", "addresses", "resolver", "health", "stranger", "organization")


class InsideAnswer(msgspec.Struct, frozen=True):
    """One answer that was got inside a container. ``status`` 0: there was none, and ``text`` says why."""

    status: int
    text: str

    @property
    def document(self) -> Any:
        """The body as JSON, None where it is something else."""
        return decoded(self.text)

    @property
    def said(self) -> str:
        """Status and the first 300 characters, for a message."""
        return f"{self.status or 'no answer'}: {excerpt(self.text, 300)}"

    @property
    def answered(self) -> str:
        """The same as the end of a sentence about the request."""
        return f"is answered with {self.said}" if self.status else f"gets {self.said}"


class InsideView(msgspec.Struct, frozen=True):
    """What was seen inside. Names of answers: gateway-health, gateway-organization, gateway-stranger (asked with
    an invalid key), api-health, api-organization, api-plans, api-metrics.

    ``log`` has the gateway's last lines since its start, ``ended`` is its container where it no longer runs, and ``load`` is
    the host's load in words ("" where it isn't known).
    """

    texts: dict[str, str]
    answers: dict[str, InsideAnswer]
    gateway: Container | None
    api: Container | None
    log: tuple[str, ...] = ()
    ended: Container | None = None
    load: str = ""

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
        """Whether the gateway reaches Lago through the proxy: by a name with dots."""
        host = urlsplit(self.url).hostname or ""
        return "." in host and not host.replace(".", "").isdigit()

    @property
    def unresolved(self) -> str:
        """Why Lago's name could not be looked up there, or ""."""
        missing = "the gateway's container has neither getent nor python3"
        return missing if self.texts.get("gateway-resolver") == "none" else ""

    def has_key(self, who: str) -> bool:
        """Whether the gateway's container, or one of Lago's (``api``), has LAGO_API_KEY."""
        return self.texts.get(f"{who}-has-key") == "yes"

    def lacks_key(self, who: str) -> bool:
        """Whether it has none, which is not known where nothing could be asked."""
        return self.texts.get(f"{who}-has-key") == "no"


def view_of(facts: Facts) -> InsideView:
    """The view that facts hold. Unreachable where an answer did not arrive whole."""
    texts: dict[str, str] = {}
    answers: dict[str, InsideAnswer] = {}
    known = {container.id: container for container in (*facts.containers, *facts.others)}
    id, output = next(iter(facts.gateways.items()), ("", ""))
    parts: dict[str, list[str]] = {}
    for line in output.splitlines():
        name, _, rest = line.partition(" ")
        # Other lines are Docker's own, about a container in which nothing can be run.
        if name in _NAMES_OF_THE_GATEWAY:
            parts.setdefault(f"gateway-{name}", []).append(rest)
    for name, encoded in parts.items():
        try:
            value = base64.b64decode("".join(encoded), validate=True).decode("utf-8", "replace")
        except ValueError as error:
            raise Unreachable(f"the answer {name} arrived incomplete ({error}); try again") from error
        body, _, status = value.rpartition("\n")
        if (code := whole_number(status)) is not None:
            answers[name] = InsideAnswer(code, body)
        else:
            texts[name] = value.strip()
    api = facts.running(API)
    said = facts.process(api)
    if said.with_key is not None:
        texts["api-has-key"] = "yes" if said.with_key else "no"
    for name, answer in said.inside.items():
        answers[f"api-{name}"] = InsideAnswer(*answer)
    gateway = known.get(id)
    ended = None if gateway else _ended(known.values(), facts.logs)
    log = facts.log_since_start(seen) if (seen := gateway or ended) else []
    return InsideView(texts, answers, gateway, api, tuple(log), ended, facts.load_text())


def _ended(known: Iterable[Container], logs: Mapping[str, str]) -> Container | None:
    """The gateway's container that no longer runs: only of that one is the log read."""
    return next(
        (each for each in known if each.role == GATEWAY and not each.running and each.id in logs), None
    )
