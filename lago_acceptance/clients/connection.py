"""One reused HTTP client for one host. It tells a service's own answers from everything else, and never retries."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from lago_acceptance.clients.answers import ApiAnswer, no_answer, not_answered
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.secrets import Secret, redact
from lago_acceptance.probes.failure import Kind, failure_of
from lago_acceptance.probes.public_endpoints import PublicEndpoints

SECONDS = 10.0


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
        self._prefetching = False
        self._kept: dict[tuple[Any, ...], Attempt[ApiAnswer]] = {}
        self._client = httpx.Client(
            transport=transport, timeout=seconds, follow_redirects=False, trust_env=False
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
        """The answer to one request, of any status, if it is the service's own JSON; else NotAnswered."""
        question = (method, path, repr(body), key and key.reveal(), repr(headers), repr(query))
        if not self._prefetching and (kept := self._kept.pop(question, None)):
            return kept.value()
        attempt = Attempt.of(self._ask, method, path, body, key, headers, query)
        if self._prefetching:
            self._kept[question] = attempt
        return attempt.value()

    def answering(self) -> Connection:
        """This connection, once it has got an answer to /health from the service itself; else NotAnswered."""
        self.ask("GET", "/health")
        return self

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Keep the answers to what is asked inside this block: the same question gets them later, each once."""
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

    def fetch(self, url: str) -> httpx.Response:
        """The raw answer to a GET of a path or a whole URL, redirects and other types of content included."""
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
    """A connection to a public host of a deployment, as its users reach it: by name, proxy and verified
    TLS.
    """
    host = view.hosts[role]
    return Connection(role, f"https://{host}", view.pinned(host), view.roots, seconds)
