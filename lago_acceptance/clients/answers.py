"""What a service answered, or that something else did, with the finding for it."""

from __future__ import annotations

from typing import Any, NoReturn

import httpx
import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.registry import Entry, Severity
from lago_acceptance.core.roles import API, GATEWAY
from lago_acceptance.core.secrets import redact

LARGEST_EXCERPT = 300
_STUCK = "billing does not work from here on"

# What keeps a service's own answer away, and how to fix it.
FIX = {
    "unreachable": "check the proxy's router for this name, DNS and the firewall (phase 3 says which it is)",
    "certificate": "check the certificate that the proxy serves for this name (phase 3)",
    "slow": "check the load and the logs of the service and of what it depends on (database, Redis, Lago)",
    "busy": "find out who limits requests: Lago 1.16.0 has no rate limit, so it is the proxy or a CDN",
    "bad-gateway": "the proxy can't reach the service: check that its container runs and is on the proxy's network",
    "not-routed": "the proxy has no router for this name: check the service's labels and the proxy's log",
    "redirect": "point the client to the final address; a redirect loses a POST's body and its key",
    "html": "this is a web page, so the name or path belongs to another service: check the proxy's router",
    "not-json": "read the service's log for this request",
}
REFUSED = "refused"
# Ids by who was asked and what came: a service's own refusal, or a key of FIX.
IDS = {
    (API, "unreachable"): "api-unreachable",
    (API, "certificate"): "api-certificate",
    (API, "slow"): "api-slow",
    (API, "busy"): "api-busy",
    (API, "bad-gateway"): "api-bad-gateway",
    (API, "not-routed"): "api-not-routed",
    (API, "redirect"): "api-redirect",
    (API, "html"): "api-html",
    (API, "not-json"): "api-not-json",
    (API, REFUSED): "api-refused",
    (GATEWAY, "unreachable"): "gateway-unreachable",
    (GATEWAY, "certificate"): "gateway-certificate",
    (GATEWAY, "slow"): "gateway-slow",
    (GATEWAY, "busy"): "gateway-busy",
    (GATEWAY, "bad-gateway"): "gateway-bad-gateway",
    (GATEWAY, "not-routed"): "gateway-not-routed",
    (GATEWAY, "redirect"): "gateway-redirect",
    (GATEWAY, "html"): "gateway-html",
    (GATEWAY, "not-json"): "gateway-not-json",
    (GATEWAY, REFUSED): "gateway-refused",
}
_PHASES = {API: 5, GATEWAY: 4}
_SUBJECTS = {API: "Lago's API", GATEWAY: "The gateway"}
_TITLES = {
    "unreachable": "can be reached by its public name.",
    "certificate": "has a certificate at its public name that clients accept.",
    "slow": "answers in time.",
    "busy": "is not behind a rate limit (429).",
    "bad-gateway": "can be reached by the proxy.",
    "not-routed": "has a router in the proxy.",
    "redirect": "answers without a redirect.",
    "html": "answers itself, and not a web page.",
    "not-json": "answers with JSON.",
    REFUSED: "serves the requests that it should serve.",
}
registry.register(
    *(
        Entry(
            id=id,
            phase=_PHASES[role],
            severity=Severity.ERROR,
            title=f"{_SUBJECTS[role]} {_TITLES[kind]}",
            page=f"Fix: {FIX[kind]}." if kind in FIX else "",
        )
        for (role, kind), id in IDS.items()
    )
)


class NotAnswered(Red):
    """The service itself did not answer. ``kind`` is a key of ``FIX``."""

    def __init__(self, kind: str, finding: Finding):
        super().__init__(finding)
        self.kind = kind


class Refused(Red):
    """The service answered, and not with what was asked for. ``answer`` is what it said."""

    def __init__(self, answer: ApiAnswer, finding: Finding):
        super().__init__(finding)
        self.answer = answer


class ApiAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a service answered: ``body`` is the JSON document, ``seconds`` how long it took."""

    asked: str
    role: str
    status: int
    body: Any
    headers: dict[str, str] = {}
    seconds: float = 0.0

    @property
    def said(self) -> str:
        """Status and the first 300 characters of the body, for a message."""
        text = self.body if isinstance(self.body, str) else msgspec.json.encode(self.body).decode()
        return f"{self.status}: {redact(text)[:LARGEST_EXCERPT]}"

    def taken(self, impact: str = _STUCK) -> Any:
        """The body of a 200 (Lago's), or a 201; Refused for every other status."""
        if self.status not in (200, 201):
            self.refuse(impact)
        return self.body

    def part(self, name: str, kind: type = dict) -> Any:
        """A member of the body of a 200; Refused where it is missing or of another kind."""
        body = self.taken()
        found = body.get(name) if isinstance(body, dict) else None
        if not isinstance(found, kind):
            self.refuse(_STUCK)
        return found

    def refuse(self, impact: str) -> NoReturn:
        """Raise Refused with what was said."""
        raise Refused(
            self,
            Finding(
                id=IDS[self.role, REFUSED],
                role=self.role,
                problem=f"{self.asked} was answered with {self.said}",
                impact=impact,
                fix="read error_details or detail in the answer; for a 500 read the service's log",
            ),
        )


def no_answer(response: httpx.Response) -> tuple[str, str]:
    """Why a response is not the service's own: kind and reason; two empty texts where it is."""
    status, media_type = response.status_code, response.headers.get("content-type", "").partition(";")[0]
    if status == 429:
        return (
            "busy",
            f"429, too many requests (Retry-After: {response.headers.get('retry-after', 'not given')})",
        )
    # With JSON they come from the service itself, about what it depends on.
    if status in (502, 504) and media_type != "application/json":
        return "bad-gateway", f"{status} from the proxy in front of it"
    if 300 <= status < 400:
        return "redirect", f"{status} to {redact(response.headers.get('location', 'nowhere'))[:200]}"
    if status == 404 and response.text.strip() == "404 page not found":
        return "not-routed", "404 from the proxy, which has no router for this name"
    if media_type == "text/html":
        return "html", f"{status} with a web page: {redact(' '.join(response.text.split()))[:150]}"
    try:
        response.json()
    except ValueError:
        if status == 503:
            return "bad-gateway", "503 from the proxy in front of it"
        text = redact(" ".join(response.text.split()))[:150] or "an empty body"
        return "not-json", f"{status} {media_type or 'without a content type'}: {text}"
    return "", ""


def not_answered(role: str, kind: str, asked: str, why: str) -> NotAnswered:
    """The failure where something else than the service itself answered, or nothing."""
    return NotAnswered(
        kind,
        Finding(
            id=IDS[role, kind],
            role=role,
            problem=f"{asked} got no answer from the {role} itself: {why}",
            impact="clients get the same now, and what depends on this answer can't be checked",
            fix=FIX[kind],
        ),
    )
