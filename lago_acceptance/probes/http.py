"""HTTP requests, bounded in time and size whatever the other side sends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from lago_acceptance.core.secrets import excerpt
from lago_acceptance.probes.failure import Failure, Kind, failure_of

if TYPE_CHECKING:
    from httpx import Request, Response


class Deadlines(msgspec.Struct, frozen=True):
    """How long a request may take, in seconds: to connect (TCP and TLS), between two parts, and in all."""

    connect: float
    read: float
    whole: float


DEADLINES = Deadlines(3, 5, 8)
# For what timed out once. Traefik waits 30 s for a container that it can't connect to, and answers 504 then.
PATIENT = Deadlines(15, 35, 40)

# Enough for a page's head; the rest is not read.
KEPT = 2**15


def media_type(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. Header names are in lower case; ``whole`` is False where ``content`` was cut at the limit."""

    status: int
    headers: dict[str, str] = {}
    content: bytes = b""
    whole: bool = True

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case."""
        return media_type(self.headers)

    @property
    def text(self) -> str:
        """The content as text; bytes that are no UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")


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
        return media_type(self.headers)

    @property
    def excerpt(self) -> str:
        """Status and the first 300 characters of the body, for a message."""
        text = excerpt(self.body, 300)
        kind = self.media_type[:100] or "without a content type"
        return f"{self.status} {kind}: {text or 'an empty body'}"


class Client:
    """Sends requests through one httpx transport. ``roots`` are the trusted roots as PEM, None for this machine's.

    ``reuse``: whether connections are kept for the next request to the same address. httpx's own client would examine
    redirects, keep cookies, use proxies from the environment, and decompress without a limit.
    """

    def __init__(self, roots: str | None, reuse: bool = False):
        import httpx

        self._transport = httpx.AsyncHTTPTransport(
            verify=ssl.create_default_context(cadata=roots),
            # httpx pools by address, but a connection is verified for one name only.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None if reuse else 0),
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

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def transfer(self, request: Request, seconds: float, largest: int) -> Answer:
        """The answer to a request, with at most ``largest`` bytes of its content, as they were sent.

        It ends after ``seconds``, which cover the name's lookup, the handshake and the headers, too. Raises one of
        ``errors()`` where no answer came.
        """
        # And never decompressed: a small body may hold gigabytes.
        request.headers["Accept-Encoding"] = "identity"
        request.headers.setdefault("User-Agent", "lago-acceptance")
        async with asyncio.timeout(seconds):
            response = await self._transport.handle_async_request(request)
            try:
                content, whole = await _first(response, largest)
            finally:
                await response.aclose()
        return Answer(
            status=response.status_code, headers=dict(response.headers), content=content, whole=whole
        )

    async def send(
        self,
        method: str,
        url: str,
        address: str,
        port: int,
        headers: Mapping[str, str] | None = None,
        deadlines: Deadlines = DEADLINES,
    ) -> Exchange:
        """Send one request for ``url`` to an address. SNI, verification and Host use the URL's host."""
        import httpx

        try:
            wanted = httpx.URL(url)
            name = wanted.raw_host.decode("ascii")
            request = httpx.Request(
                method,
                wanted.copy_with(host=address, port=port),
                headers={"Host": wanted.netloc.decode("ascii"), "Accept": "*/*", **(headers or {})},
                extensions={
                    "sni_hostname": name,
                    "timeout": {
                        "connect": deadlines.connect,
                        "read": deadlines.read,
                        "write": deadlines.read,
                        "pool": None,
                    },
                },
            )
            answer = await self.transfer(request, deadlines.whole, KEPT)
        except errors() as error:
            limits: dict[type[Exception], float] = {
                httpx.ConnectTimeout: deadlines.connect,
                httpx.ReadTimeout: deadlines.read,
            }
            seconds = limits.get(type(error), deadlines.whole)
            return Exchange(method=method, url=url, address=address, failure=failure_of(error, seconds))
        except (httpx.InvalidURL, ValueError):
            failure = Failure(Kind.NO_ROUTE, f"{url!r:.100} is not a URL; correct the host in the settings")
            return Exchange(method=method, url=url, address=address, failure=failure)
        return Exchange(
            method=method,
            url=url,
            address=address,
            status=answer.status,
            headers=answer.headers,
            body=answer.text,
        )


def errors() -> tuple[type[Exception], ...]:
    """What a transfer raises where no answer came; ``failure_of`` says what it means."""
    import httpx

    return httpx.HTTPError, httpx.StreamError, OSError


async def _first(response: Response, largest: int) -> tuple[bytes, bool]:
    kept = bytearray()
    async for part in response.aiter_raw():
        kept += part
        if len(kept) > largest:
            return bytes(kept[:largest]), False
    return bytes(kept), True
