"""HTTP requests to an address under a host's name, all made by one client."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from lago_acceptance.core.secrets import redact
from lago_acceptance.probes.failure import Failure, failure_of

if TYPE_CHECKING:
    from httpx import Response

CONNECT, READ = 3.0, 5.0
DEADLINE = CONNECT + READ

# Enough for a page's head; the rest is not read.
KEPT = 2**15


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One request and what came back. Header names are in lower case; ``body`` is the first 32 KiB."""

    method: str
    url: str
    address: str
    failure: Failure | None = None
    status: int = 0
    headers: dict[str, str] = {}
    body: str = ""

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def excerpt(self) -> str:
        """Status and the first 300 characters of the body, for a message."""
        text = " ".join(redact(self.body)[:300].split())
        return f"{self.status} {self.media_type or 'without a content type'}: {text or 'an empty body'}"


class Client:
    """Sends requests through one httpx transport. ``roots`` are the trusted roots as PEM, None for this machine's.

    httpx's own client would examine redirects, keep cookies and use proxies from the environment.
    """

    def __init__(self, roots: str | None):
        import httpx

        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl.create_default_context(cadata=roots),
            # httpx pools by address, but a connection is verified for one name only.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, traceback)

    async def send(
        self,
        method: str,
        url: str,
        address: str,
        port: int,
        headers: Mapping[str, str] | None = None,
        deadline: float = DEADLINE,
    ) -> Exchange:
        """Send one request for ``url`` to an address. SNI, verification and Host use the host's name."""
        import httpx

        wanted = httpx.URL(url)
        own = {"Host": wanted.host, "Accept": "*/*", "User-Agent": "lago-acceptance"}
        request = httpx.Request(
            method,
            wanted.copy_with(host=address, port=port),
            headers={**own, **(headers or {})},
            extensions={
                "sni_hostname": wanted.host,
                "timeout": {"connect": CONNECT, "read": READ, "write": READ, "pool": None},
            },
        )
        try:
            async with asyncio.timeout(deadline):
                answer = await self._transport.handle_async_request(request)
                try:
                    body = await _first(answer)
                finally:
                    await answer.aclose()
        except (httpx.HTTPError, httpx.StreamError, OSError, TimeoutError) as error:
            limits: dict[type[Exception], float] = {httpx.ConnectTimeout: CONNECT, httpx.ReadTimeout: READ}
            seconds = limits.get(type(error), deadline)
            return Exchange(method=method, url=url, address=address, failure=failure_of(error, seconds))
        return Exchange(
            method=method,
            url=url,
            address=address,
            status=answer.status_code,
            headers=dict(answer.headers),
            body=body.decode("utf-8", "replace"),
        )


async def _first(answer: Response) -> bytes:
    kept = b""
    async for part in answer.aiter_raw():
        kept += part
        if len(kept) >= KEPT:
            break
    return kept[:KEPT]
