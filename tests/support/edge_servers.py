"""Servers on loopback for the probes: DNS, a public site behind TLS, and raw sockets that misbehave."""

from __future__ import annotations

import datetime
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import trustme
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

API_HOST, FRONT_HOST = "api.lago.test", "front.lago.test"
SILENCE = "silence"


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody holds."""
    with socket.create_server((address, 0)) as server:
        return server.getsockname()[1]


class Dns:
    """A DNS server. ``zone``: by (name, kind) addresses, ("CNAME", target), an rcode's name or SILENCE.

    It loses the first ``lost`` questions.
    """

    def __init__(self, address: str = "127.0.0.1"):
        self.lost = 0
        self.zone: dict[tuple[str, str], list[str] | tuple[str, str] | str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self.address, self.port = self._socket.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                wire, sender = self._socket.recvfrom(4096)
                self.lost -= 1
                if self.lost < 0 and (reply := self._reply(dns.message.from_wire(wire))):
                    self._socket.sendto(reply.to_wire(), sender)

    def _reply(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name, kind = str(question.name).rstrip("."), dns.rdatatype.to_text(question.rdtype)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        said = self.zone.get((name, kind), [])
        while isinstance(said, tuple):
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", f"{said[1]}."))
            name = said[1]
            said = self.zone.get((name, kind), "NXDOMAIN")
        if said == SILENCE:
            return None
        if isinstance(said, str):
            reply.set_rcode(dns.rcode.from_text(said))
        elif said:
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *said))
        return reply


class Site:
    """A public site: https, a certificate per host, and http. ``pages``: by (scheme, host, path) a response.

    A response may be a function of the request.
    """

    def __init__(self, authority: trustme.CA, address: str, web: int, secure: int):
        self.authority, self.address = authority, address
        self.certificates: dict[str, ssl.SSLContext] = {}
        self.pages: dict[tuple[str, str, str], Response | Callable[[Request], Response]] = {}
        context = self._context = self.context(API_HOST)
        context.sni_callback = self._choose
        self._servers = [
            HTTPServer(host=address, port=web, threaded=True),
            HTTPServer(host=address, port=secure, ssl_context=context, threaded=True),
        ]
        for server in self._servers:
            server.expect_request(_ANY).respond_with_handler(self._answer)
            server.start()

    def close(self) -> None:
        for server in self._servers:
            server.stop()

    def context(self, *hosts: str, days: float = 60, authority: trustme.CA | None = None) -> ssl.SSLContext:
        """TLS with a certificate for these hosts that is valid for so many days more."""
        now = datetime.datetime.now(datetime.UTC)
        certificate = (authority or self.authority).issue_cert(
            *hosts,
            not_before=now - datetime.timedelta(days=90),
            not_after=now + datetime.timedelta(days=days),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context

    def default(self, host: str) -> None:
        """Have a certificate for a host or an address where a client names none."""
        self.authority.issue_cert(host).configure_cert(self._context)

    def heal(self) -> None:
        """Be what the deployment should be."""
        self.certificates = {host: self.context(host) for host in (API_HOST, FRONT_HOST)}
        self.pages = {
            ("https", API_HOST, "/health"): as_json(
                {"version": "v1.16.0", "github_url": "", "message": "Success"}
            ),
            ("https", API_HOST, "/sidekiq"): as_json({"status": 404, "code": "resource_not_found"}, 404),
            ("https", API_HOST, "/graphql"): _preflight,
            ("https", FRONT_HOST, "/"): Response(PAGE, content_type="text/html"),
            ("https", FRONT_HOST, "/env-config.js"): script(f"https://{API_HOST}"),
            ("http", API_HOST, "/health"): redirect(f"https://{API_HOST}/health"),
            ("http", FRONT_HOST, "/env-config.js"): redirect(f"https://{FRONT_HOST}/env-config.js"),
        }

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        if name in self.certificates:
            connection.context = self.certificates[name]

    def _answer(self, request: Request) -> Response:
        page = self.pages.get((request.scheme, request.host.split(":")[0], request.path))
        if page is None:
            return Response("404 page not found\n", 404, content_type="text/plain; charset=utf-8")
        return page(request) if callable(page) and not isinstance(page, Response) else page


PAGE = '<!doctype html><title>Lago</title><script src="env-config.js"></script><div id="root"></div>'


class _Any(str):
    """Equal to every path."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


_ANY = _Any("any")


def as_json(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")


def script(api_url: str) -> Response:
    """The front's env-config.js."""
    return Response(
        f'window.API_URL = "{api_url}"\nwindow.APP_ENV = "production"\n',
        content_type="application/javascript",
    )


def redirect(target: str, status: int = 308) -> Response:
    return Response("moved", status, {"Location": target}, content_type="text/plain")


def _preflight(request: Request) -> Response:
    # As recorded from the real Lago: always 200, and the host alone decides.
    allowed = request.headers.get("Origin", "").partition("://")[2] == FRONT_HOST
    headers = {"Access-Control-Allow-Origin": request.headers["Origin"]} if allowed else {}
    return Response("", 200, headers)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[int]:
    """A TCP server that hands each connection to ``talk``, in a thread; its port."""
    server = socket.create_server((address, 0))

    def handle(client: socket.socket) -> None:
        with suppress(OSError), client:
            talk(client)

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=handle, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
