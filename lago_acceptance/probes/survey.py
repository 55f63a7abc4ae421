"""All probes of a deployment from outside: run concurrently, and what timed out once more, alone and with more time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import msgspec

from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.probes import dns, http, loop, ports, tls
from lago_acceptance.probes.addresses import NOT_CONTACTED, may_be_contacted
from lago_acceptance.probes.failure import Failure, Kind
from lago_acceptance.probes.public_endpoints import PublicEndpoints

WEB, SECURE = 80, 443
K = TypeVar("K")
T = TypeVar("T")
Asked = tuple[str, "Request"]
"""A role and a request to it."""


class Request(msgspec.Struct, frozen=True):
    """One request to a role, by its path below the role's URL.

    ``plain``: by http on port 80 instead. ``origin`` is that of the page that makes it in a browser, "" for none.
    """

    path: str
    method: str = "GET"
    origin: str = ""
    plain: bool = False


HEALTH = Request("/health")
PAGE, SCRIPT = Request("/"), Request("/env-config.js")
JOBS = Request("/sidekiq")
# Without a key, Lago refuses it.
REST = Request("/api/v1/organizations")
GRAPHQL = "/graphql"

# By role: requests whose answers show that the right service is behind the name.
PROOFS = {API: (HEALTH,), FRONT: (PAGE, SCRIPT), GATEWAY: (HEALTH,)}


def proofs(view: PublicEndpoints, role: str) -> tuple[Request, ...]:
    """Requests whose answers show that a role's own service is at its URL.

    Where API and front have one URL, the front has all but some paths, /health among them.
    """
    shared = role == API and view.urls[API] == view.urls.get(FRONT)
    return (REST,) if shared else PROOFS[role]


def plain(view: PublicEndpoints, role: str) -> Request:
    """A request over http whose redirect must end at one of the role's proofs."""
    return Request(proofs(view, role)[-1].path, plain=True)


def preflight(origin: str) -> Request:
    """The request that a browser sends before a page of ``origin`` may use Lago's GraphQL."""
    return Request(GRAPHQL, method="OPTIONS", origin=origin)


def redirects(url: PublicUrl) -> bool:
    """Whether http has to redirect to a URL: port 80 belongs to https on port 443 alone."""
    return url.scheme == "https" and url.port == SECURE


def base_of(view: PublicEndpoints, role: str, request: Request) -> PublicUrl:
    """The URL that a request's path is below."""
    return (view.graphql if request.path == GRAPHQL else None) or view.urls[role]


def address_of(view: PublicEndpoints, role: str, request: Request) -> PublicUrl:
    """The URL of a request."""
    base = base_of(view, role, request)
    if request.plain:
        return PublicUrl("http", base.host, WEB, base.path + request.path)
    return PublicUrl(base.scheme, base.host, base.port, base.path + request.path)


def front_origin(view: PublicEndpoints) -> str:
    """The origin of the front's pages."""
    return view.urls[FRONT].origin


def foreign_origins(view: PublicEndpoints) -> tuple[str, ...]:
    """Origins that are not the front. Lago compares host and port, not the scheme (docs/lago-facts.md,
    section 1.4)."""
    front = view.urls[FRONT]
    other = 8081 if front.port == 8080 else 8080
    return ("https://elsewhere.example", PublicUrl("http", front.host, other).origin)


class PublicSurvey(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. ``now`` is the time by this machine's clock, in seconds since 1970.

    ``handshakes`` are by ``PublicUrl.place`` and address, ``exchanges`` by role, address and request, ``knocks`` by address
    and port.
    """

    view: PublicEndpoints
    now: float
    answers: tuple[dns.DnsAnswer, ...] = ()
    handshakes: dict[tuple[str, str], tls.Handshake] = {}
    old_handshakes: dict[tuple[str, str], tls.Handshake] = {}
    exchanges: dict[tuple[str, str, Request], http.Exchange] = {}
    knocks: dict[tuple[str, int], ports.PortProbe] = {}

    def answers_of(self, host: str, kind: str) -> tuple[dns.DnsAnswer, ...]:
        """Every resolver's answer to one question."""
        return tuple(each for each in self.answers if each.host == host and each.kind == kind)

    def named(self, host: str, kind: str | None = None) -> tuple[str, ...]:
        """The addresses that any resolver returns for a name, IPv4 first."""
        kinds = (kind,) if kind else dns.KINDS
        found = (
            address
            for each in kinds
            for answer in self.answers_of(host, each)
            for address in answer.addresses
        )
        return tuple(dict.fromkeys(found))

    def everywhere(self, url: PublicUrl) -> tuple[str, ...]:
        """The addresses at which a URL was asked: those of its name and the origin, or its door."""
        if self.view.only_on_the_host(url):
            return ()
        if door := self.view.door(url):
            return (door[0],)
        named = self.named(url.host) if self.view.in_dns(url) else ()
        return tuple(dict.fromkeys((*named, *filter(None, [self.view.proxy_address]))))

    def accepts(self, url: PublicUrl, address: str) -> bool:
        """Whether something takes connections for a URL at an address, TLS included where it is https."""
        if url.scheme == "https":
            made = self.handshakes.get((url.place, address))
            return made is not None and made.failure is None
        door = self.view.door(url)
        knock = self.knocks.get((address, door[1] if door else url.port))
        return knock is not None and knock.open


class Timing(msgspec.Struct, frozen=True):
    """How long a handshake (seconds) and a request may take."""

    handshake: float
    request: http.Deadlines


FIRST, AGAIN = Timing(tls.DEADLINE, http.DEADLINES), Timing(tls.PATIENT, http.PATIENT)


def survey(
    view: PublicEndpoints,
    closed_ports: tuple[int, ...],
    web: int = WEB,
    secure: int = SECURE,
    first: Timing = FIRST,
    again: Timing = AGAIN,
) -> PublicSurvey:
    """Run all probes of a deployment concurrently, so that an address that hangs delays no other.

    A handshake or a request that times out (``first``) is made once more, when nothing else is going on at that name
    (``again``).
    """
    return loop.run(_Survey(view, closed_ports, web, secure, first, again).all())


class _Survey:
    """One survey. Starts each probe as soon as its input is known, and repeats only what timed out."""

    def __init__(
        self,
        view: PublicEndpoints,
        closed_ports: tuple[int, ...],
        web: int,
        secure: int,
        first: Timing,
        again: Timing,
    ):
        self._view, self._closed = view, closed_ports
        self._stands_for = {WEB: web, SECURE: secure}
        self._first, self._second = first, again
        self._shaker = tls.TlsProber(view.roots)
        self._client = http.Client(view.roots)
        self._answers: list[dns.DnsAnswer] = []
        self._handshakes: dict[tuple[str, str], asyncio.Task[tls.Handshake]] = {}
        self._old_handshakes: dict[tuple[str, str], asyncio.Task[tls.Handshake]] = {}
        self._exchanges: dict[tuple[str, str, Request], asyncio.Task[http.Exchange]] = {}
        self._knocks: dict[tuple[str, int], asyncio.Task[ports.PortProbe]] = {}

    async def all(self) -> PublicSurvey:
        async with self._client, asyncio.TaskGroup() as self._group:
            for host, asked in self._asked().items():
                self._group.create_task(self._host(host, asked))
            if origin := self._view.origin:
                for port in (WEB, SECURE, *self._view.ports, *self._closed):
                    self._knock(origin, port)
        resolvers = [each.name for each in self._view.resolvers]
        seen = PublicSurvey(
            view=self._view,
            now=time.time(),
            answers=tuple(sorted(self._answers, key=lambda each: resolvers.index(each.resolver))),
            handshakes=_results(self._handshakes),
            old_handshakes=_results(self._old_handshakes),
            exchanges=_results(self._exchanges),
            knocks=_results(self._knocks),
        )
        await self._repeat_what_timed_out(seen)
        return seen

    def _asked(self) -> dict[str, list[Asked]]:
        """The roles and requests of each host, so that each name is looked up once."""
        found: dict[str, list[Asked]] = {}
        for role in self._view.urls:
            for request in self._requests(role):
                base = base_of(self._view, role, request)
                if not self._view.only_on_the_host(base):
                    found.setdefault(base.host, []).append((role, request))
        return found

    async def _repeat_what_timed_out(self, seen: PublicSurvey) -> None:
        """Replace what timed out by a second try: one name after the other side by side, one question at a time each."""
        late = {(each.host, where[1]) for where, each in seen.handshakes.items() if _timed_out(each)}
        late |= {(self._host_of(key), key[1]) for key, each in seen.exchanges.items() if _timed_out(each)}
        # The silence of an IPv6 address may be this machine's own, and is judged as that.
        late = {(host, address) for host, address in late if ":" not in address}
        used = {self._port(port) for port in (WEB, SECURE, *self._view.ports)}
        doors = [key for key, each in seen.knocks.items() if key[1] in used and _timed_out(each)]
        if not late and not doors:
            return
        async with http.Client(self._view.roots) as client, asyncio.TaskGroup() as group:
            for where in late:
                group.create_task(self._again(seen, client, *where))
            for door in doors:
                group.create_task(self._knock_again(seen, *door))

    def _host_of(self, key: tuple[str, str, Request]) -> str:
        return base_of(self._view, key[0], key[2]).host

    async def _knock_again(self, seen: PublicSurvey, address: str, port: int) -> None:
        seen.knocks[(address, port)] = await ports.knock(address, port, self._second.handshake)

    async def _again(self, seen: PublicSurvey, client: http.Client, host: str, address: str) -> None:
        silent = set()
        for url in {url.place: url for url in self._places() if url.host == host}.values():
            where, deadline = (url.place, address), self._second.handshake
            if where not in seen.handshakes or not _timed_out(seen.handshakes[where]):
                continue
            port = self._port_of(url)
            seen.handshakes[where] = await self._shaker.shake(host, address, port, deadline=deadline)
            # What stays silent is silent: its requests would take as long and say the same.
            if _timed_out(seen.handshakes[where]):
                silent.add(url.place)
        for key, exchange in seen.exchanges.items():
            place = base_of(self._view, key[0], key[2]).place
            if self._host_of(key) != host or key[1] != address or place in silent or not _timed_out(exchange):
                continue
            seen.exchanges[key] = await self._exchange(client, *key, self._second.request)
            if _timed_out(seen.exchanges[key]):
                return

    def _places(self) -> Iterator[PublicUrl]:
        yield from self._view.urls.values()
        if self._view.browser_api:
            yield self._view.browser_api

    def _start(
        self,
        started: dict[K, asyncio.Task[T]],
        key: K,
        probe: Callable[..., Coroutine[Any, Any, T]],
        *arguments: Any,
    ) -> None:
        if key not in started:
            started[key] = self._group.create_task(probe(*arguments))

    async def _host(self, host: str, asked: list[Asked]) -> None:
        named = [each for each in asked if self._view.door(base_of(self._view, *each)) is None]
        for each in asked:
            if door := self._view.door(base_of(self._view, *each)):
                self._address(each, door[0])
        if self._view.proxy_address:
            for each in named:
                self._address(each, self._view.proxy_address)
        if not any(self._view.in_dns(base_of(self._view, *each)) for each in named):
            return
        questions = [dns.ask(host, kind, resolver) for resolver in self._view.resolvers for kind in dns.KINDS]
        for question in asyncio.as_completed(questions):
            answer = await question
            self._answers.append(answer)
            for address in answer.addresses:
                for each in named:
                    self._address(each, address)

    def _address(self, asked: Asked, address: str) -> None:
        url, key = base_of(self._view, *asked), (asked[0], address, asked[1])
        where = (url.place, address)
        if not may_be_contacted(address):
            self._leave_alone(url, key)
            return
        if url.scheme == "https":
            shaken = (url.host, address, self._port_of(url))
            self._start(self._handshakes, where, self._shaker.shake, *shaken, False, self._first.handshake)
            self._start(self._old_handshakes, where, self._shaker.shake, *shaken, True, self._first.handshake)
        else:
            self._knock(address, self._port_of(url))
        self._start(self._exchanges, key, self._exchange, self._client, *key, self._first.request)

    def _leave_alone(self, url: PublicUrl, key: tuple[str, str, Request]) -> None:
        failure = Failure(Kind.REFUSED, NOT_CONTACTED)
        role, address, request = key
        if url.scheme == "https":
            handshake = tls.Handshake(host=url.host, address=address, failure=failure)
            for made in (self._handshakes, self._old_handshakes):
                self._start(made, (url.place, address), _known, handshake)
        asked = str(address_of(self._view, role, request))
        exchange = http.Exchange(method=request.method, url=asked, address=address, failure=failure)
        self._start(self._exchanges, key, _known, exchange)

    def _requests(self, role: str) -> Iterator[Request]:
        yield from proofs(self._view, role)
        if redirects(self._view.urls[role]):
            yield plain(self._view, role)
        if role == API:
            yield JOBS
            if FRONT in self._view.urls:
                for origin in (front_origin(self._view), *foreign_origins(self._view)):
                    yield preflight(origin)

    def _exchange(
        self,
        client: http.Client,
        role: str,
        address: str,
        request: Request,
        deadlines: http.Deadlines,
    ) -> Coroutine[Any, Any, http.Exchange]:
        headers = (
            {"Origin": request.origin, "Access-Control-Request-Method": "POST"} if request.origin else {}
        )
        url = address_of(self._view, role, request)
        port = self._port(WEB) if request.plain else self._port_of(base_of(self._view, role, request))
        return client.send(request.method, str(url), address, port, headers, deadlines)

    def _knock(self, address: str, port: int) -> None:
        port = self._port(port)
        self._start(self._knocks, (address, port), ports.knock, address, port)

    def _port_of(self, url: PublicUrl) -> int:
        door = self._view.door(url)
        return self._port(door[1] if door else url.port)

    def _port(self, port: int) -> int:
        return self._stands_for.get(port, port)


def _timed_out(probe: tls.Handshake | http.Exchange | ports.PortProbe) -> bool:
    """Whether no answer came in time."""
    return probe.failure is not None and probe.failure.kind is Kind.UNANSWERED


async def _known(result: T) -> T:
    return result


def _results(tasks: dict[K, asyncio.Task[T]]) -> dict[K, T]:
    return {key: task.result() for key, task in tasks.items()}
