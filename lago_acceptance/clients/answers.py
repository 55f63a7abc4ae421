"""A service's answer, or the finding if it did not answer itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

import msgspec

from lago_acceptance.core import registry
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.registry import Entry, Severity
from lago_acceptance.core.roles import API, GATEWAY
from lago_acceptance.core.secrets import excerpt
from lago_acceptance.probes.http import media_type

if TYPE_CHECKING:
    from lago_acceptance.probes.http import Answer

T = TypeVar("T")
_STUCK = "billing does not work from here on"

# Why a service's own answer does not arrive, and the fix.
FIX = {
    "unreachable": "check DNS, the firewall and the proxy's router for this name (phase 3 shows which it is)",
    "certificate": "check the certificate that the proxy serves for this name (phase 3)",
    "slow": "check the load and the logs of the service and of what it depends on (database, Redis, Lago)",
    "busy": "find out what limits requests: Lago 1.16.0 has no rate limit, so it is the proxy or a CDN",
    "bad-gateway": "the proxy can't reach the service: check that its container runs and is on the proxy's network",
    "not-routed": "the proxy has no router for this name: check the service's labels and the proxy's log",
    "redirect": "point the client to the final address; a redirect loses a POST's body and its key",
    "html": "this is a web page, so the name or path belongs to another service: check the proxy's router",
    "not-json": "read the service's log for this request",
    "too-large": "find out what answers there (the proxy's router, the service's log): no answer should be that large",
}
REFUSED, FAILED = "refused", "failed"
# Ids by role and kind of failure: a service's own refusal or failure, or a key of FIX.
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
    (API, "too-large"): "api-too-large",
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
    (GATEWAY, "too-large"): "gateway-too-large",
    (GATEWAY, REFUSED): "gateway-refused",
    (GATEWAY, FAILED): "gateway-fails",
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
    "too-large": "gives answers of a reasonable size.",
    REFUSED: "serves the requests that it should serve.",
    FAILED: "answers requests without an error that its own code did not handle.",
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
    """The service itself did not answer. ``kind`` is a key of ``FIX``; ``timed_out``: nothing came in time."""

    def __init__(self, kind: str, finding: Finding, timed_out: bool = False):
        super().__init__(finding)
        self.kind, self.timed_out = kind, timed_out


class Refused(Red):
    """The service answered, but not with what was requested; see ``answer``."""

    def __init__(self, answer: ApiAnswer, finding: Finding):
        super().__init__(finding)
        self.answer = answer


class ApiAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A service's answer: ``body`` is the JSON document of ``size`` bytes, ``seconds`` the time it took."""

    asked: str
    role: str
    status: int
    body: Any
    headers: dict[str, str] = {}
    size: int = 0
    seconds: float = 0.0

    @property
    def said(self) -> str:
        """Status and the first 300 characters of the body, for a message."""
        text = self.body if isinstance(self.body, str) else msgspec.json.encode(self.body).decode()
        return f"{self.status}: {excerpt(text, 300)}"

    def taken(self, impact: str = _STUCK) -> Any:
        """The body of a 200, which Lago sends, or a 201; Refused for any other status."""
        if self.status not in (200, 201):
            self.refuse(impact)
        return self.body

    @overload
    def part(self, name: str) -> dict[str, Any]: ...

    @overload
    def part(self, name: str, kind: type[T]) -> T: ...

    def part(self, name: str, kind: Any = dict[str, Any]) -> Any:
        """A member of the body of a 200; Refused if it is missing or of another type."""
        body = self.taken()
        try:
            return msgspec.convert(body.get(name) if isinstance(body, dict) else None, kind)
        except msgspec.ValidationError as error:
            self.refuse(_STUCK, f" ({name}: {str(error)[:200]})")

    def shaped(self, name: str, shape: Any) -> Any:
        """A member of the body of a 200, as it came; Refused if it does not have this shape (clients/shapes.py)."""
        self.part(name, shape)
        return self.body[name]

    @property
    def unhandled(self) -> bool:
        """Whether the gateway's own server answered, for its code did not handle an error: text and not JSON."""
        return is_own_failure(self.role, self.status, self.headers)

    def refuse(self, impact: str, why: str = "") -> NoReturn:
        """Raise Refused with the answer. ``why`` says what is wrong with it, where its words don't show it."""
        if self.unhandled:
            raise Refused(self, failed(self))
        raise Refused(
            self,
            Finding(
                id=IDS[self.role, REFUSED],
                role=self.role,
                problem=f"{self.asked} was answered with {self.said}{why}",
                impact=impact,
                fix="read error_details or detail in the answer; for a 500 read the service's log",
            ),
        )


def failed(answer: ApiAnswer, how: str = "") -> Finding:
    """The finding about a gateway that failed to answer a request; ``how`` says how it was made."""
    return Finding(
        id=IDS[GATEWAY, FAILED],
        role=GATEWAY,
        problem=f"{how}{', ' if how else ''}{answer.asked} is answered with {answer.said}",
        impact="customers can't use this route; a request that should have been refused may have been accepted before "
        "it failed",
        fix="read the gateway's log for this request: its last traceback names the error; whether Lago was asked at all "
        "shows there too",
    )


def is_own_failure(role: str, status: int, headers: Mapping[str, str]) -> bool:
    """Whether the gateway's own server (uvicorn) answers for an error that its code did not handle: 500 in plain text.

    Traefik's own 500 is about TLS to a service, which the gateway has none of.
    """
    return role == GATEWAY and status == 500 and media_type(headers) == "text/plain"


def no_answer(answer: Answer) -> tuple[str, str]:
    """Why an answer is not the service's own, as kind and reason; two empty texts if it may be."""
    status, media_type = answer.status, answer.media_type
    if status == 429:
        after = excerpt(answer.headers.get("retry-after", "not given"), 100)
        return "busy", f"429, too many requests (Retry-After: {after})"
    # With JSON it is the service itself that reports a failing dependency.
    if status in (502, 504) and media_type != "application/json":
        return "bad-gateway", f"{status} from the proxy in front of it"
    if 300 <= status < 400:
        return "redirect", f"{status} to {excerpt(answer.headers.get('location', 'nowhere'), 200)}"
    if status == 404 and answer.text.strip() == "404 page not found":
        return "not-routed", "404 from the proxy, which has no router for this name"
    if media_type == "text/html":
        return "html", f"{status} with a web page: {excerpt(answer.text, 150)}"
    if not answer.whole:
        return "too-large", f"{status} with more than {len(answer.content) >> 20} MiB"
    return "", ""


def not_json(answer: Answer, error: ValueError) -> tuple[str, str]:
    """Kind and reason where an answer's content is not JSON that can be read; ``error`` is the parser's."""
    if answer.status == 503:
        return "bad-gateway", "503 from the proxy in front of it"
    kind = excerpt(answer.media_type, 100) or "without a content type"
    if encoding := answer.headers.get("content-encoding"):
        kind += f", compressed ({excerpt(encoding, 50)}) although the request does not allow it"
        return "not-json", f"{answer.status} {kind}"
    if answer.media_type == "application/json":
        kind += f", but {error}"
    return "not-json", f"{answer.status} {kind}: {excerpt(answer.text, 150) or 'an empty body'}"


def not_answered(role: str, kind: str, asked: str, why: str, timed_out: bool = False) -> NotAnswered:
    """The failure if nothing answered (``timed_out``: in time), or something other than the service itself."""
    return NotAnswered(
        kind,
        Finding(
            id=IDS[role, kind],
            role=role,
            problem=f"{asked} got no answer from the {role} itself: {why}",
            impact="clients get the same now, and what depends on this answer can't be checked",
            fix=FIX[kind],
        ),
        timed_out,
    )
