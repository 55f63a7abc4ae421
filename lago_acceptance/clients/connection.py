"""One reused HTTP client for one host. It separates a service's own answers from all others.

A request is repeated in two cases only: a read that got no answer in time is made once more, alone; and after the gateway's
server has failed, which closes that connection without a word, the next request may need a new one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urljoin

from lago_acceptance.clients.answers import (
    ApiAnswer,
    NotAnswered,
    is_own_failure,
    no_answer,
    not_answered,
    not_json,
)
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.documents import parse
from lago_acceptance.core.roles import API
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Unknown
from lago_acceptance.probes import loop
from lago_acceptance.probes.failure import Kind, failure_of
from lago_acceptance.probes.http import KEPT, Answer, Client, errors
from lago_acceptance.probes.public_endpoints import ONLY_THERE, OTHERS_REACH, PublicEndpoints
from lago_acceptance.probes.survey import GRAPHQL, proofs

if TYPE_CHECKING:
    from httpx import URL, Request

# From the name's lookup to the answer's last byte.
SECONDS = 10.0
# How many times as long the second try of what timed out may take.
PATIENCE = 2
# Of one answer, and of all pages of a list: a thousand plans with their charges are smaller. Parsed, it takes up to fifty
# times as much memory.
LARGEST = 3 * 2**20
NO_TEXT = "the key or a name in it has characters that HTTP does not allow, such as a line feed; set it again without them"


class Connection:
    """Sends requests to one base URL. ``address`` is the address to connect to, "" for the one from DNS.

    ``graphql`` is the base URL of GraphQL, "" for the same. ``doors`` are more addresses to connect to, each with its port, by
    host and port of a URL. ``proof`` is a path that the service itself answers with JSON. ``roots`` are the trusted roots as PEM, None for this machine's; ``seconds`` is how long an answer may take.
    Redirects are never followed, and no key is ever sent to another host.
    """

    def __init__(
        self,
        role: str,
        base: str,
        address: str = "",
        roots: str | None = None,
        seconds: float = SECONDS,
        *,
        graphql: str = "",
        doors: Mapping[tuple[str, int], tuple[str, int]] | None = None,
        proof: str = "/health",
    ):
        self.role, self.base, self.seconds, self.proof = role, base.rstrip("/"), seconds, proof
        self._graphql = graphql.rstrip("/") or self.base
        self._address, self._doors = address, dict(doors or {})
        self._prefetching = False
        self._kept: dict[tuple[Any, ...], Attempt[ApiAnswer]] = {}
        self._timed_out: set[tuple[Any, ...]] = set()
        self._roots = roots
        self._client = Client(roots, reuse=True)
        self._has_failed = False

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        key: Secret | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        repeatable: bool = False,
    ) -> ApiAnswer:
        """The answer to one request, whatever its status, if it is the service's own JSON; else NotAnswered.

        A GET, or what is ``repeatable`` because it changes nothing, is sent once more where no answer comes in time.
        """
        question = (method, path, repr(body), key and key.reveal(), repr(headers), repr(query))
        if not self._prefetching and (kept := self._kept.pop(question, None)):
            return kept.value()
        asked = (method, path, body, key, headers, query)
        attempt = Attempt[ApiAnswer]()
        if question not in self._timed_out:
            attempt = Attempt.of(self._ask, *asked, self.seconds)
        if _timed_out(attempt) and (repeatable or method == "GET"):
            self._timed_out.add(question)
        # What other requests may have delayed is asked when a check needs it.
        if self._prefetching:
            if question not in self._timed_out:
                self._kept[question] = attempt
        elif question in self._timed_out:
            self._timed_out.discard(question)
            attempt = Attempt.of(self._ask, *asked, self.seconds * PATIENCE)
        return attempt.value()

    def answering(self) -> Connection:
        """This connection, after the service itself has answered; else NotAnswered."""
        self.ask("GET", self.proof)
        return self

    @contextmanager
    def ahead(self) -> Iterator[None]:
        """Keep the answers to the requests in this block; each is returned once when the same request is made later.

        One that did not come in time is asked for again then.
        """
        self._prefetching = True
        try:
            yield
        finally:
            self._prefetching = False

    def _ask(
        self,
        method: str,
        path: str,
        body: Any,
        key: Secret | None,
        headers: Mapping[str, str] | None,
        query: Mapping[str, Any] | None,
        seconds: float,
    ) -> ApiAnswer:
        import httpx

        url = self._below(path)
        asked = _shown(method, url)
        head = {"Accept": "application/json", **(headers or {})}
        if key:
            head["Authorization"] = f"Bearer {key.reveal()}"
        started = time.monotonic()
        try:
            request = httpx.Request(method, url, params=query or None, json=body, headers=head)
        except httpx.InvalidURL as error:
            self._unusable(asked, f"its address is not a valid URL ({error})")
        except ValueError:
            self._unusable(asked, NO_TEXT)
        answer = self._settled(asked, request, seconds)
        took = time.monotonic() - started
        self._has_failed = is_own_failure(self.role, answer.status, answer.headers)
        kind, why = no_answer(answer)
        if kind:
            raise not_answered(self.role, kind, asked, why)
        try:
            document = answer.text if self._has_failed else parse(answer.content)
        except ValueError as error:
            kind, why = not_json(answer, error)
            raise not_answered(self.role, kind, asked, why) from error
        return ApiAnswer(
            asked=asked,
            role=self.role,
            status=answer.status,
            body=document,
            headers=answer.headers,
            size=len(answer.content),
            seconds=took,
        )

    def _settled(self, asked: str, request: Request, seconds: float) -> Answer:
        """The answer. After a failure of the service's server the first try may meet the connection that it has closed."""
        if not self._has_failed:
            return self._transfer(asked, request, LARGEST, seconds)
        self._has_failed = False
        loop.run(self._client.close())
        self._client = Client(self._roots, reuse=True)
        url = request.url
        try:
            answer = self._transfer(asked, request, LARGEST, seconds)
            if no_answer(answer)[0] != "bad-gateway":
                return answer
        except NotAnswered as failure:
            if failure.kind != "unreachable":
                raise
        request.url = url
        return self._transfer(asked, request, LARGEST, seconds)

    def fetch(self, url: str) -> Answer:
        """The raw answer to a GET without a key, and at most 32 KiB of its content.

        ``url`` may be a path below the base URL, or a URL out of an answer: of this host, or of another one by https, where files
        may be.
        """
        import httpx

        asked = _shown("GET", url)
        try:
            base = httpx.URL(self.base)
            whole = (
                self.base + url
                if url.startswith("/") and not url.startswith("//")
                else urljoin(f"{self.base}/", url)
            )
            request = httpx.Request("GET", whole, headers={"Accept": "*/*"})
            own = request.url.host == base.host
        except (httpx.InvalidURL, ValueError) as error:
            self._unusable(asked, f"its address is not a valid URL ({error})")
        if not own and base.scheme == "https" != request.url.scheme:
            raise not_answered(self.role, "unreachable", asked, "it is on another host, and not by https")
        return self._transfer(asked, request, KEPT, self.seconds)

    def close(self) -> None:
        """Close the connections."""
        loop.run(self._client.close())

    def _below(self, path: str) -> str:
        """The URL of a path. ValueError for a URL, which could lead a key to another host."""
        if not path.startswith("/"):
            raise ValueError(f"{path!r:.200} is not a path")
        return (self._graphql if path == GRAPHQL else self.base) + path

    def _door(self, url: URL) -> tuple[str, int | None] | None:
        """Where to connect to for a URL, None for what DNS says."""
        import httpx

        if door := self._doors.get((url.host, _port(url))):
            return door
        return (self._address, url.port) if self._address and url.host == httpx.URL(self.base).host else None

    def _unusable(self, asked: str, why: str) -> NoReturn:
        # Without the error itself, which quotes a header's value: the key.
        raise not_answered(self.role, "unreachable", asked, f"it can't be sent: {why}") from None

    def _transfer(self, asked: str, request: Request, largest: int, seconds: float) -> Answer:
        import httpx

        # SNI, verification and Host keep the name.
        if door := self._door(request.url):
            request.extensions["sni_hostname"] = request.url.raw_host.decode("ascii")
            request.url = request.url.copy_with(host=door[0], port=door[1])
        connect = seconds / 2
        request.extensions["timeout"] = {"connect": connect, "read": None, "write": None, "pool": None}
        try:
            return loop.run(self._client.transfer(request, seconds, largest))
        except httpx.LocalProtocolError:
            self._unusable(asked, NO_TEXT)
        except errors() as error:
            unconnected = isinstance(error, httpx.ConnectTimeout)
            failure = failure_of(error, connect if unconnected else seconds)
            slow = isinstance(error, httpx.TimeoutException | TimeoutError) and not unconnected
            certificate = failure.kind in (Kind.CERTIFICATE, Kind.TLS)
            kind = "certificate" if certificate else "slow" if slow else "unreachable"
            timed_out = slow or unconnected
            raise not_answered(self.role, kind, asked, failure.text, timed_out) from error
        except ValueError:
            self._unusable(asked, "its host is not a host name; correct it in the settings")


def _port(url: URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _timed_out(attempt: Attempt[ApiAnswer]) -> bool:
    return isinstance(attempt.failure, NotAnswered) and attempt.failure.timed_out


def _shown(method: str, url: str) -> str:
    return f"{method} {url.partition('?')[0][:200]}"


def through(view: PublicEndpoints, role: str, seconds: float = SECONDS) -> Connection:
    """A connection to a public URL as its users reach it: by name, through the proxy, with verified TLS.

    Unknown where the URL is not known, or only the host itself can open it.
    """
    url = reachable(view, role)
    graphql = (view.graphql if role == API else None) or url
    doors = {}
    for each in dict.fromkeys((*view.urls.values(), graphql)):
        address, port = view.pinned(each)
        if address:
            doors[(each.host, each.port)] = (address, port)
    return Connection(
        role,
        str(url),
        roots=view.roots,
        seconds=seconds,
        graphql=str(graphql),
        doors=doors,
        proof=proofs(view, role)[0].path,
    )


def reachable(view: PublicEndpoints, role: str) -> PublicUrl:
    """The public URL of a role. Unknown where there is none that can be opened from here."""
    url = view.urls.get(role)
    if url is None:
        raise Unknown(
            f"what the {role} answers at its public URL: nothing in the deployment says the URL",
            why=f"the public URL of the {role} is not known",
            fix=f"set hosts.{role} in settings.toml",
        )
    if view.only_on_the_host(url):
        raise Unknown(f"what {url} answers: {ONLY_THERE}", why=ONLY_THERE, fix=OTHERS_REACH)
    return url
