"""All probes of a deployment from outside: run concurrently, and what timed out once more, alone and with more time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import msgspec

from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.probes import dns, http, loop, ports, tls
from lago_acceptance.probes.addresses import NOT_CONTACTED, may_be_contacted
from lago_acceptance.probes.failure import Failure, Kind
from lago_acceptance.probes.public_endpoints import PublicEndpoints

WEB, SECURE = 80, 443
K = TypeVar("K")
T = TypeVar("T")


class Request(msgspec.Struct, frozen=True):
    """One request to a host. ``origin`` is the origin of the page that makes it in a browser, "" for none."""

    path: str
    scheme: str = "https"
    method: str = "GET"
    origin: str = ""


HEALTH = Request("/health")
PAGE, SCRIPT = Request("/"), Request("/env-config.js")
JOBS = Request("/sidekiq")

# By role: requests whose answers show that the right service is behind the name.
PROOFS = {API: (HEALTH,), FRONT: (PAGE, SCRIPT), GATEWAY: (HEALTH,)}


def plain(role: str) -> Request:
    """A request over http whose redirect must end at one of the role's proofs."""
    return Request(PROOFS[role][-1].path, "http")


def preflight(origin: str) -> Request:
    """The request that a browser sends before a page of ``origin`` may use Lago's GraphQL."""
    return Request("/graphql", method="OPTIONS", origin=origin)


def front_origin(view: PublicEndpoints) -> str:
    """The origin of the front's pages."""
    return f"https://{view.hosts[FRONT]}"


def foreign_origins(view: PublicEndpoints) -> tuple[str, ...]:
    """Origins that are not the front. Lago compares host and port, not the scheme (docs/lago-facts.md,
    section 1.4)."""
    return ("https://elsewhere.example", f"http://{view.hosts[FRONT]}:8080")


class PublicSurvey(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen. ``now`` is the time by this machine's clock, in seconds since 1970."""

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

    def everywhere(self, host: str) -> tuple[str, ...]:
        """The addresses of a name, and the origin."""
        return tuple(dict.fromkeys((*self.named(host), *([self.view.origin] if self.view.origin else []))))


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
        self._view, self._closed, self._web, self._secure = view, closed_ports, web, secure
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
            for role, host in self._view.hosts.items():
                self._group.create_task(self._host(role, host))
            if origin := self._view.origin:
                for port in (self._web, self._secure, *self._closed):
                    self._start(self._knocks, (origin, port), ports.knock, origin, port)
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

    async def _repeat_what_timed_out(self, seen: PublicSurvey) -> None:
        """Replace what timed out by a second try: one name after the other side by side, one question at a time each."""
        late = {where for where, each in seen.handshakes.items() if _timed_out(each)}
        late |= {key[:2] for key, each in seen.exchanges.items() if _timed_out(each)}
        # The silence of an IPv6 address may be this machine's own, and is judged as that.
        late = {(host, address) for host, address in late if ":" not in address}
        doors = [
            key
            for key, each in seen.knocks.items()
            if key[1] in (self._web, self._secure) and _timed_out(each)
        ]
        if not late and not doors:
            return
        async with http.Client(self._view.roots) as client, asyncio.TaskGroup() as group:
            for where in late:
                group.create_task(self._again(seen, client, *where))
            for door in doors:
                group.create_task(self._knock_again(seen, *door))

    async def _knock_again(self, seen: PublicSurvey, address: str, port: int) -> None:
        seen.knocks[(address, port)] = await ports.knock(address, port, self._second.handshake)

    async def _again(self, seen: PublicSurvey, client: http.Client, host: str, address: str) -> None:
        where, second = (host, address), self._second
        if _timed_out(seen.handshakes[where]):
            deadline = second.handshake
            seen.handshakes[where] = await self._shaker.shake(*where, self._secure, deadline=deadline)
            # An address that stays silent is silent: its requests would take as long and say the same.
            if _timed_out(seen.handshakes[where]):
                return
        for key, exchange in seen.exchanges.items():
            if key[:2] != where or not _timed_out(exchange):
                continue
            seen.exchanges[key] = await self._exchange(client, *key, second.request)
            if _timed_out(seen.exchanges[key]):
                return

    def _start(
        self,
        started: dict[K, asyncio.Task[T]],
        key: K,
        probe: Callable[..., Coroutine[Any, Any, T]],
        *arguments: Any,
    ) -> None:
        if key not in started:
            started[key] = self._group.create_task(probe(*arguments))

    async def _host(self, role: str, host: str) -> None:
        if self._view.origin:
            self._address(role, host, self._view.origin)
        questions = [dns.ask(host, kind, resolver) for resolver in self._view.resolvers for kind in dns.KINDS]
        for question in asyncio.as_completed(questions):
            answer = await question
            self._answers.append(answer)
            for address in answer.addresses:
                self._address(role, host, address)

    def _address(self, role: str, host: str, address: str) -> None:
        where = (host, address)
        if not may_be_contacted(address):
            self._leave_alone(role, host, address)
            return
        shaken = (*where, self._secure)
        self._start(self._handshakes, where, self._shaker.shake, *shaken, False, self._first.handshake)
        self._start(self._old_handshakes, where, self._shaker.shake, *shaken, True, self._first.handshake)
        for request in self._requests(role):
            key = (*where, request)
            self._start(self._exchanges, key, self._exchange, self._client, *key, self._first.request)

    def _leave_alone(self, role: str, host: str, address: str) -> None:
        failure = Failure(Kind.REFUSED, NOT_CONTACTED)
        handshake = tls.Handshake(host=host, address=address, failure=failure)
        for made in (self._handshakes, self._old_handshakes):
            self._start(made, (host, address), _known, handshake)
        for request in self._requests(role):
            url = _url(host, request)
            exchange = http.Exchange(method=request.method, url=url, address=address, failure=failure)
            self._start(self._exchanges, (host, address, request), _known, exchange)

    def _requests(self, role: str) -> Iterator[Request]:
        yield from PROOFS[role]
        yield plain(role)
        if role == API:
            yield JOBS
            for origin in (front_origin(self._view), *foreign_origins(self._view)):
                yield preflight(origin)

    def _exchange(
        self,
        client: http.Client,
        host: str,
        address: str,
        request: Request,
        deadlines: http.Deadlines,
    ) -> Coroutine[Any, Any, http.Exchange]:
        headers = (
            {"Origin": request.origin, "Access-Control-Request-Method": "POST"} if request.origin else {}
        )
        port = self._secure if request.scheme == "https" else self._web
        return client.send(request.method, _url(host, request), address, port, headers, deadlines)


def _url(host: str, request: Request) -> str:
    return f"{request.scheme}://{host}{request.path}"


def _timed_out(probe: tls.Handshake | http.Exchange | ports.PortProbe) -> bool:
    """Whether no answer came in time."""
    return probe.failure is not None and probe.failure.kind is Kind.UNANSWERED


async def _known(result: T) -> T:
    return result


def _results(tasks: dict[K, asyncio.Task[T]]) -> dict[K, T]:
    return {key: task.result() for key, task in tasks.items()}
