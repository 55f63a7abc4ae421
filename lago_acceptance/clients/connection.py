"""One reused HTTP client for one host. It separates a service's own answers from all others, and never retries."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lago_acceptance.clients.answers import ApiAnswer, no_answer, not_answered
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.probes.failure import Kind, failure_of
from lago_acceptance.probes.public_endpoints import PublicEndpoints

if TYPE_CHECKING:
    from httpx import Request, Response

SECONDS = 10.0


def _pinned(host: str, address: str) -> Callable[[Request], None]:
    """Sends the requests for a host to an address: SNI, verification and Host keep the name."""

    def pin(request: Request) -> None:
        if request.url.host == host:
            request.extensions["sni_hostname"] = host
            request.url = request.url.copy_with(host=address)

    return pin


class Connection:
    """Sends requests to one base URL. ``address`` is the address to connect to, "" for the one from DNS.

    ``roots`` are the trusted roots as PEM, None for this machine's. Redirects are never followed.
    """

    def __init__(
        self, role: str, base: str, address: str = "", roots: str | None = None, seconds: float = SECONDS
    ):
        import httpx

        self.role, self.base, self.seconds = role, base.rstrip("/"), seconds
        self._prefetching = False
        self._kept: dict[tuple[Any, ...], Attempt[ApiAnswer]] = {}
        self._client = httpx.Client(
            verify=ssl.create_default_context(cadata=roots) if base.startswith("https") else True,
            event_hooks={"request": [_pinned(httpx.URL(base).host, address)] if address else []},
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: Secret | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> ApiAnswer:
        """The answer to one request, whatever its status, if it is the service's own JSON; else NotAnswered."""
        question = (method, path, repr(body), key and key.reveal(), repr(headers), repr(query))
        if not self._prefetching and (kept := self._kept.pop(question, None)):
            return kept.value()
        attempt = Attempt.of(self._ask, method, path, body, key, headers, query)
        if self._prefetching:
            self._kept[question] = attempt
        return attempt.value()

    def answering(self) -> Connection:
        """This connection, after the service itself has answered /health; else NotAnswered."""
        self.ask("GET", "/health")
        return self

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Keep the answers to the requests in this block; each is returned once when the same request is made later."""
        self._prefetching = True
        try:
            yield
        finally:
            self._prefetching = False

    def _ask(self, *question: Any) -> ApiAnswer:
        asked, response, seconds = self._send(*question)
        kind, why = no_answer(response)
        if kind:
            raise not_answered(self.role, kind, asked, why)
        return ApiAnswer(
            asked=asked,
            role=self.role,
            status=response.status_code,
            body=response.json(),
            headers=dict(response.headers),
            seconds=seconds,
        )

    def fetch(self, url: str) -> Response:
        """The raw response to a GET of a path or a full URL, whatever its status and content type."""
        return self._send("GET", url, None, None, None, None)[1]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        key: Secret | None,
        headers: Mapping[str, str] | None,
        query: Mapping[str, Any] | None,
    ) -> tuple[str, Response, float]:
        import httpx

        url = path if "://" in path else self.base + path
        asked = f"{method} {url.partition('?')[0]}"
        head = {"Accept": "application/json", **(headers or {})}
        if key:
            head["Authorization"] = f"Bearer {key.reveal()}"
        started = time.monotonic()
        try:
            response = self._client.request(method, url, json=body, params=query or None, headers=head)
        except httpx.InvalidURL as error:
            raise not_answered(
                self.role, "unreachable", asked, f"{redact(url)[:200]} is no URL ({error})"
            ) from error
        except httpx.HTTPError as error:
            failure = failure_of(error, self.seconds)
            certificate = failure.kind in (Kind.CERTIFICATE, Kind.TLS)
            slow = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
            kind = "certificate" if certificate else "slow" if slow else "unreachable"
            raise not_answered(self.role, kind, asked, failure.text) from error
        return asked, response, time.monotonic() - started


def through(view: PublicEndpoints, role: str, seconds: float = SECONDS) -> Connection:
    """A connection to a public host as its users reach it: by name, through the proxy, with verified TLS."""
    host = view.hosts[role]
    return Connection(role, f"https://{host}", view.pinned(host), view.roots, seconds)
