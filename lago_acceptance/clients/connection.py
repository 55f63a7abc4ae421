"""One reused HTTP client for one host. What is no answer of the service itself is told apart, and nothing is
retried.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx
import msgspec

from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.findings import Finding, Red
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.probes.failure import Kind, failure_of
from lago_acceptance.probes.public_endpoints import PublicEndpoints

SECONDS = 10.0
LARGEST_EXCERPT = 300

# How to mend what keeps an answer away, by the kind's name in the finding's id.
FIX = {
    "unreachable": "look at the proxy's router for this name, at DNS and at the firewall (phase 3 says "
    "which)",
    "certificate": "look at the certificate that the proxy serves for this name (phase 3)",
    "slow": "look at the load and the logs of the service and of what it asks (database, Redis, Lago)",
    "busy": "find out who limits requests: Lago 1.16.0 has no limit of its own, so it is the proxy or a CDN",
    "bad-gateway": "the proxy can't reach the service: see whether its container runs and is on the proxy's "
    "network",
    "not-routed": "the proxy has no router for this name: look at the labels of the service and at the "
    "proxy's log",
    "redirect": "point the client at the final address; a redirect loses a POST's body and its key",
    "html": "this is a web page, so the name or path leads to another service: look at the proxy's router",
    "not-json": "look at the service's log for this request",
}


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

    def taken(self, impact: str = "billing can't go on from here") -> Any:
        """The body of a 200 (Lago's), or a 201; Refused for every other status."""
        if self.status not in (200, 201):
            self.refuse(impact)
        return self.body

    def part(self, name: str, kind: type = dict) -> Any:
        """What stands under a name in the body of a 200; Refused where the body holds nothing of that kind
        there.
        """
        body = self.taken()
        found = body.get(name) if isinstance(body, dict) else None
        if not isinstance(found, kind):
            self.refuse("billing can't go on from here")
        return found

    def refuse(self, impact: str) -> NoReturn:
        """Raise Refused with what was said."""
        raise Refused(
            self,
            Finding(
                id=f"{self.role}-refused",
                role=self.role,
                problem=f"{self.asked} was answered by {self.said}",
                impact=impact,
                fix="read the answer's error_details or detail; for 500 the service's log has the reason",
            ),
        )


class _Pinned(httpx.HTTPTransport):
    """Connects to an address in the name of a host: SNI, verification and Host keep the name."""

    def __init__(self, host: str, address: str, **options: Any):
        super().__init__(**options)
        self._host, self._address = host, address

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == self._host:
            request.extensions["sni_hostname"] = self._host
            request.url = request.url.copy_with(host=self._address)
        return super().handle_request(request)


class Connection:
    """Sends requests to one base URL. ``address`` is where its name points to, "" for what DNS says.

    ``roots`` are the trusted roots as PEM, None for this machine's. Redirects are never followed.
    """

    def __init__(
        self, role: str, base: str, address: str = "", roots: str | None = None, seconds: float = SECONDS
    ):
        self.role, self.base, self.seconds = role, base.rstrip("/"), seconds
        verify = ssl.create_default_context(cadata=roots) if base.startswith("https") else True
        transport = (
            _Pinned(httpx.URL(base).host, address, verify=verify)
            if address
            else httpx.HTTPTransport(verify=verify)
        )
        self._asks_ahead = False
        self._kept: dict[tuple, Attempt[ApiAnswer]] = {}
        self._client = httpx.Client(
            transport=transport, timeout=seconds, follow_redirects=False, trust_env=False
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: Secret | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> ApiAnswer:
        """The answer to one request, of any status, if it is the service's own JSON; else NotAnswered."""
        question = (method, path, repr(body), key and key.reveal(), repr(headers), repr(query))
        if not self._asks_ahead and (kept := self._kept.pop(question, None)):
            return kept.value()
        attempt = Attempt.of(self._ask, method, path, body, key, headers, query)
        if self._asks_ahead:
            self._kept[question] = attempt
        return attempt.value()

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Keep the answers to what is asked meanwhile; whoever asks the same later gets them, each once."""
        self._asks_ahead = True
        try:
            yield
        finally:
            self._asks_ahead = False

    def _ask(self, *question: Any) -> ApiAnswer:
        asked, response, seconds = self._send(*question)
        kind, why = _no_answer(response)
        if kind:
            self._not_answered(kind, asked, why)
        return ApiAnswer(
            asked=asked,
            role=self.role,
            status=response.status_code,
            body=response.json(),
            headers=dict(response.headers),
            seconds=seconds,
        )

    def fetch(self, url: str) -> httpx.Response:
        """The raw answer to a GET of a path or a whole URL, redirects and other types of content included."""
        return self._send("GET", url, None, None, None, {})[1]

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        key: Secret | None,
        headers: dict[str, str] | None,
        query: dict[str, Any],
    ) -> tuple[str, httpx.Response, float]:
        url = path if "://" in path else self.base + path
        asked = f"{method} {url.partition('?')[0]}"
        head = {"Accept": "application/json", **(headers or {})}
        if key:
            head["Authorization"] = f"Bearer {key.reveal()}"
        started = time.monotonic()
        try:
            response = self._client.request(method, url, json=body, params=query or None, headers=head)
        except httpx.InvalidURL as error:
            self._not_answered("unreachable", asked, f"{redact(url)[:200]} is no URL ({error})")
        except httpx.HTTPError as error:
            failure = failure_of(error, self.seconds)
            certificate = failure.kind in (Kind.CERTIFICATE, Kind.TLS)
            slow = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
            self._not_answered(
                "certificate" if certificate else "slow" if slow else "unreachable", asked, failure.text
            )
        return asked, response, time.monotonic() - started

    def _not_answered(self, kind: str, asked: str, why: str) -> NoReturn:
        raise NotAnswered(
            kind,
            Finding(
                id=f"{self.role}-{kind}",
                role=self.role,
                problem=f"{asked} got no answer of the {self.role} itself: {why}",
                impact="whoever asks now gets the same, and what was to be shown is not shown",
                fix=FIX[kind],
            ),
        )


def _no_answer(response: httpx.Response) -> tuple[str, str]:
    """Why a response is not the service's own, as kind and words; two empty texts where it is."""
    status, media_type = response.status_code, response.headers.get("content-type", "").partition(";")[0]
    if status == 429:
        return (
            "busy",
            f"429, too many requests (Retry-After: {response.headers.get('retry-after', 'not given')})",
        )
    # With JSON they are the service's own word on what it asks itself.
    if status in (502, 504) and media_type != "application/json":
        return "bad-gateway", f"{status} from the proxy in front of it"
    if 300 <= status < 400:
        return "redirect", f"{status} to {redact(response.headers.get('location', 'nowhere'))[:200]}"
    if status == 404 and response.text.strip() == "404 page not found":
        return "not-routed", "404 from the proxy, which knows no such name"
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


def through(view: PublicEndpoints, role: str, seconds: float = SECONDS) -> Connection:
    """A connection to a public host of a deployment, as its users reach it: by name, proxy and verified
    TLS.
    """
    host = view.hosts[role]
    return Connection(role, f"https://{host}", view.pinned(host), view.roots, seconds)
