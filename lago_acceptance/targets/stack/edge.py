"""The edge of the stack target: Traefik as proxy, Pebble as CA, pebble-challtestsrv as the public DNS."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lago_acceptance.composefile.cli import Project
from lago_acceptance.core.resources import TESTBED
from lago_acceptance.core.settings import TRAEFIK, EdgeSettings
from lago_acceptance.core.urls import PublicUrl
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.base import Host, ReadCommand
from lago_acceptance.probes.public_endpoints import PublicEndpoints, Resolver

if TYPE_CHECKING:
    import httpx
    from trustme import LeafCert

FILE = TESTBED / "edge.yml"

# How Pebble's endpoint certificate names it. The host reaches Pebble by address and still verifies this name.
CA_NAME = "pebble"

# The port on which a DNS server is given its names.
MANAGEMENT = 8055
UP_SECONDS = 60.0

# The service that shows this run's containers through a filtered Docker socket, and the folder of that socket.
DOCKER_VIEW = "docker-view"
PROXY = "traefik"
# What every edge has; a deployment with a proxy of its own needs no other.
SERVICES = ("pebble", "dns-first", "dns-second")
_SECONDS = 5.0


CERTIFICATE, KEY, AUTHORITY = "own.pem", "own-key.pem", "endpoint-ca.pem"
"""In the edge's folder: a certificate for the deployment's names, its key, and the root of who issued it."""


class Names(msgspec.Struct, frozen=True):
    """What the run's Traefik calls its entry points and its certificate resolver: as the deployment's labels do."""

    http: str = "web"
    https: str = "websecure"
    resolver: str = "letsencrypt"

    @property
    def variables(self) -> dict[str, str]:
        """The names as the testbed's files take them."""
        return {
            "HTTP_ENTRYPOINT": self.http,
            "HTTPS_ENTRYPOINT": self.https,
            "RESOLVER": self.resolver,
        }


USUAL = Names()


def names_of(settings: EdgeSettings) -> Names:
    """The names that a deployment's labels use, and the usual ones where they use none."""
    return Names(
        settings.http_entrypoint or USUAL.http,
        settings.https_entrypoint or USUAL.https,
        settings.resolver or USUAL.resolver,
    )


def prepare(folder: Path, hosts: Iterable[str] = ()) -> None:
    """Make a folder of the run: Pebble's own endpoint certificate, key (mode 600) and CA, and a place for the Docker view.

    With ``hosts``, also a certificate of the same authority for them, and its key, for a proxy that reads files.
    """
    import trustme

    authority = trustme.CA()
    docker_socket(folder).parent.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(folder / AUTHORITY))
    _keep(folder, "endpoint.pem", "endpoint-key.pem", authority.issue_cert(CA_NAME, "localhost"))
    if wanted := tuple(dict.fromkeys(hosts)):
        _keep(folder, CERTIFICATE, KEY, authority.issue_cert(*wanted))


def _keep(folder: Path, certificate: str, key: str, issued: LeafCert) -> None:
    (folder / certificate).write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    descriptor = os.open(folder / key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(issued.private_key_pem.bytes())


def project(
    name: str,
    folder: Path,
    lago_project: str,
    networks: Mapping[str, str],
    names: Names = USUAL,
    overlays: Iterable[Path] = (),
    network_names: Mapping[str, str] | None = None,
) -> Project:
    """The edge's Compose project. ``folder`` is what ``prepare`` filled; ``overlays`` change images and labels.

    ``networks`` has the names of two that exist: ``edge``, which only it is on, and ``proxy``, through which Traefik reaches its
    containers. Traefik obeys the labels of ``lago_project`` and of its gateway alone. ``network_names`` maps names of this run's
    networks to those that a proxy of the compose file knows; none for the edge's own.
    """
    shown = ",".join(f"{own}={written}" for own, written in (network_names or {}).items())
    variables = {
        "EDGE_FOLDER": str(folder),
        "LAGO_PROJECT": lago_project,
        "EDGE_NETWORK": networks["edge"],
        "PROXY_NETWORK": networks["proxy"],
        "NETWORK_NAMES": shown,
        **names.variables,
    }
    if (endpoint := os.environ.get("DOCKER_HOST", "")).startswith("unix://"):
        variables["DOCKER_SOCKET"] = endpoint.removeprefix("unix://")
    return Project(name=name, files=(FILE, *overlays), variables=variables)


def docker_socket(folder: Path) -> Path:
    """Where the service docker-view has its socket, once it runs: for ``Places.docker_socket``."""
    return folder / DOCKER_VIEW / "docker.sock"


def wait_for_docker_socket(folder: Path) -> None:
    """Wait until containers can be given the socket. Unreachable where it doesn't appear."""
    if not until(docker_socket(folder).is_socket, UP_SECONDS):
        raise Unreachable(f"the test stack's view of Docker did not start: no {docker_socket(folder)}")


class Edge:
    """A running edge, reached at its containers' addresses. ``origin`` is the proxy's: what the public names point to.

    ``kind`` is the proxy's, and ``own_certificates`` whether it may serve those that ``prepare`` made for it.
    """

    def __init__(
        self,
        addresses: Mapping[str, str],
        folder: Path,
        origin: str,
        kind: str = TRAEFIK,
        own_certificates: bool = False,
    ):
        self._addresses, self._folder = addresses, folder
        self.origin, self._kind, self._own_certificates = origin, kind, own_certificates

    @property
    def resolvers(self) -> list[tuple[str, int]]:
        """Address and port of each DNS server."""
        return [(self._addresses[service], 53) for service in ("dns-first", "dns-second")]

    def wait(self) -> None:
        """Wait until DNS servers and the run's own proxy take connections. Unreachable where one doesn't."""
        proxy = [(self._addresses[PROXY], 80)] if PROXY in self._addresses else []
        doors = [*((address, MANAGEMENT) for address, _ in self.resolvers), *proxy]
        if not until(lambda: all(_is_open(*door) for door in doors), UP_SECONDS):
            closed = ", ".join(f"{address}:{port}" for address, port in doors if not _is_open(address, port))
            raise Unreachable(f"proxy or DNS of the test stack takes no connections: {closed}")

    def view(self, urls: dict[str, PublicUrl], browser_api: PublicUrl | None = None) -> PublicEndpoints:
        """Public URLs by role, as they are seen through this edge: its DNS, its CA, its proxy."""
        return PublicEndpoints(
            urls=urls,
            resolvers=tuple(
                Resolver(name, address, port)
                for name, (address, port) in zip(("dns-first", "dns-second"), self.resolvers, strict=True)
            ),
            origin=self.origin,
            roots=self.trusted(),
            proxy=self._kind,
            browser_api=browser_api,
        )

    def point_names(self, names: Iterable[str], address: str) -> None:
        """Give the names one A record and no AAAA record, on every DNS server."""
        for name in names:
            self._post("/clear-a", {"host": name})
            self._post("/add-a", {"host": name, "addresses": [address]})

    def fail_names(self, names: Iterable[str], failing: bool = True) -> None:
        """Make every DNS server answer SERVFAIL for the names, or stop that."""
        for name in names:
            self._post("/set-servfail" if failing else "/clear-servfail", {"host": name})

    def trusted(self) -> str:
        """The PEM of the roots that this run's certificates chain to."""
        own = (self._folder / AUTHORITY).read_text("ascii") if self._own_certificates else ""
        return self.root_certificate() + own

    def root_certificate(self) -> str:
        """The PEM of the root that this run's certificates chain to. Pebble makes a new one at each start."""
        import ssl

        import httpx

        context = ssl.create_default_context(cafile=str(self._folder / AUTHORITY))
        with httpx.Client(verify=context, trust_env=False, timeout=_SECONDS) as client:
            try:
                answer = client.get(
                    f"https://{self._addresses['pebble']}:15000/roots/0", extensions={"sni_hostname": CA_NAME}
                )
                answer.raise_for_status()
            except httpx.HTTPError as error:
                raise Unreachable(
                    f"Pebble, the CA of the test stack, did not serve its root certificate: {error}"
                ) from None
        return answer.text

    def _post(self, path: str, body: dict[str, Any]) -> None:
        import httpx

        for address, _ in self.resolvers:
            try:
                self._client.post(f"http://{address}:{MANAGEMENT}{path}", json=body).raise_for_status()
            except httpx.HTTPError as error:
                raise Unreachable(
                    f"the test stack's DNS server refused {path} for {body['host']}: {error}"
                ) from None

    @cached_property
    def _client(self) -> httpx.Client:
        import httpx

        return httpx.Client(trust_env=False, timeout=_SECONDS)


def _is_open(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), 1):
            return True
    except OSError:
        return False


def attach(
    host: Host,
    project_name: str,
    folder: Path,
    network: str,
    origin: str = "",
    kind: str = TRAEFIK,
    own_certificates: bool = False,
) -> Edge:
    """The edge that runs as a Compose project, once it answers. Unreachable when a service has no address or doesn't.

    ``network`` is the one that only it is on. ``origin`` is the address of a proxy that is not its own, of a ``kind``;
    ``own_certificates`` whether that serves those that ``prepare`` made.
    """
    output = host.read(
        ReadCommand(
            "edge's addresses",
            'docker ps --quiet --filter label=com.docker.compose.project="$project" | xargs -r docker inspect --format '
            '\'{{index .Config.Labels "com.docker.compose.service"}} '
            '{{with index .NetworkSettings.Networks "\'"$network"\'"}}{{.IPAddress}}{{end}}\'',
            {"project": project_name, "network": network},
        )
    )
    addresses = dict(line.split() for line in output.splitlines() if len(line.split()) == 2)
    missing = {*SERVICES, *([] if origin else [PROXY])} - addresses.keys()
    if missing:
        raise Unreachable(
            f"the test stack's edge is not complete: no running {', '.join(sorted(missing))} in {project_name}"
        )
    found = Edge(addresses, folder, origin or addresses[PROXY], kind, own_certificates)
    found.wait()
    return found
