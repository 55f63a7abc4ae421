"""A deployment that runs on a host, observed over ssh and from outside. Only --allow-writes changes anything there."""

from __future__ import annotations

import socket
from concurrent import futures
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from lago_acceptance.core.awaited import Board
from lago_acceptance.core.background import Background
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit, not_given
from lago_acceptance.core.roles import API, FRONT
from lago_acceptance.core.settings import OTHER, Settings
from lago_acceptance.core.verdicts import UsageError
from lago_acceptance.facts.collect import PATIENCE, SECONDS, TOO, observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from lago_acceptance.hosts.ssh_errors import CONNECT_SECONDS
from lago_acceptance.lago.derived import derived, given_for
from lago_acceptance.probes.public_endpoints import SYSTEM, PublicEndpoints, Resolver
from lago_acceptance.targets.from_outside import FromOutside
from lago_acceptance.targets.which_lago import must_be_there

if TYPE_CHECKING:
    from lago_acceptance.clients.connection import Connection
    from lago_acceptance.core.secrets import Secret
    from lago_acceptance.facts.inside import InsideView
    from lago_acceptance.images.resolve import ResolvedImage
    from lago_acceptance.probes.survey import PublicSurvey

T = TypeVar("T")
# A probe ends by its own deadline before this.
END_SECONDS = 10
# Reading the host and its public names each end by deadlines of their own before this, a second look at what was late
# included.
READ_SECONDS = SECONDS * (1 + PATIENCE)


class Live(FromOutside):
    """One host. Its facts are taken and its public names probed side by side, as soon as ``prepare`` is called."""

    bring_up = None
    # Of a live host's gateway and keys only its facts are known.
    gateway = admin = api_key = None
    wants_gateway = False
    no_gateway = ""
    # Whether what gateway and API see of each other is read in the same round trip as the facts.
    with_inside = True
    # Whether what an upgrade needs to know is read in it too.
    with_upgrade = False

    def __init__(self, options: Options, settings: Settings):
        self.options, self.given, self.settings = options, settings, settings
        # A file that nobody named may be of another deployment: its names are not looked up before the host is known.
        self._names_known = bool(options.settings and settings.url(FRONT) and settings.url(API))
        if len(options.hosts) != 1:
            raise UsageError("a run checks one live host; several hosts are checked by one run each")
        self.permit = Permit("--allow-writes") if options.allow_writes else None
        self.images: dict[str, ResolvedImage] = {}
        self.remarks: list[str] = []
        self.host = SshHost(parse(options.hosts[0]), options.ssh_config)
        self._background = Background()
        self._connections: dict[str, Future[Connection]] = {}
        self._facts: Future[Facts] | None = None
        self._survey: Future[PublicSurvey] | None = None

    def prepare(self) -> None:
        """Start to read the host, once. Where it can't be reached, ``up`` raises that."""
        if self._facts is not None:
            return
        self._facts = self._background.submit(self.observe)
        self._survey = self._background.submit(self._take_survey)

    def _take_survey(self) -> PublicSurvey:
        self._know_names()
        return super().survey()

    def _know_names(self) -> None:
        """Wait until the public names are known: without a settings file the host says them."""
        if not self._names_known:
            self._begun(self._facts).result()

    def up(self) -> None:
        """Wait for the facts. Unreachable, with the step that failed."""
        reading = self._begun(self._facts)
        Board.shared.result(reading, CONNECT_SECONDS + READ_SECONDS, self.host.name, "being read over ssh")

    @staticmethod
    def _begun(observing: Future[T] | None) -> Future[T]:
        if observing is None:
            raise RuntimeError("prepare() was not called on the live target")
        return observing

    def observe(self) -> Facts:
        """The facts of the host, read once at the start."""
        if self._facts is not None and self._facts.done():
            return self._facts.result()
        backup = self.settings.backup
        facts = observe(
            self.host,
            self._settled,
            project=self.options.project,
            wanted_directory=self.settings.deployment.directory,
            backups=backup.files if backup else "",
            gateway_network=self.network("gateway"),
            inside=TOO if self.with_inside else "",
            upgrade=TOO if self.with_upgrade else "",
            bounds=self.settings.signs,
        )
        model = facts.model()
        self.given, remark = given_for(self.options.settings, model)
        must_be_there(facts, self.host.name, self.options.project, self.given.deployment)
        self.remarks += [remark] * bool(remark)
        self.settings = derived(model, self.given).settings
        return facts

    def _settled(self) -> None:
        """Wait until nothing else is asked of the host: no probe and no request by its public names."""
        if not self._names_known:
            return
        others = [*self._connections.values(), *([self._survey] if self._survey else ())]
        futures.wait(others, READ_SECONDS)

    def read_inside(self, facts: Facts) -> InsideView:
        """Lago as gateway and API see it inside their containers."""
        from lago_acceptance.facts.collect import read_inside
        from lago_acceptance.facts.inside import view_of

        return view_of(facts if self.with_inside else read_inside(self.host, facts, self.network("gateway")))

    def own_organization(self, facts: Facts) -> Secret:
        """The key of the suite's dedicated organization. Unknown where Lago does not make one."""
        from lago_acceptance.scenarios.dedicated_organization import key

        if self.permit is None:
            raise not_given()
        return key(self.host, facts.running(API), self.permit)

    def prefetch(self, *roles: str) -> None:
        """Start the requests by public name that checks of these roles will need."""
        self._connections = {role: self._background.submit(self._prefetched, role) for role in roles}

    def _prefetched(self, role: str) -> Connection:
        from lago_acceptance.clients.prefetch import prefetched

        self._know_names()
        return prefetched(self.public_view(), role, self.invalid_credentials)

    def connection(self, role: str) -> Connection:
        """A connection to the API or the gateway by its public name."""
        # Used once: whoever got it closes it.
        fetching = self._connections.pop(role, None)
        return fetching.result() if fetching else super().connection(role)

    def survey(self) -> PublicSurvey:
        """What was seen from outside."""
        return Board.shared.result(
            self._begun(self._survey), READ_SECONDS, "public names", "being checked from outside"
        )

    def public_view(self) -> PublicEndpoints:
        """Where it is seen from outside: public DNS, this machine's trusted roots, the host's own address."""
        edge = self.settings.edge
        public = tuple(Resolver(address, address) for address in edge.resolvers)
        return PublicEndpoints(
            urls=self.public_urls,
            browser_api=self.settings.browser_api,
            proxy=self.settings.edge.proxy or OTHER,
            resolvers=((Resolver(SYSTEM),) if edge.system_resolver else ()) + public,
            origin=edge.origin or self._address,
            roots=self.options.roots(),
        )

    @cached_property
    def _address(self) -> str | None:
        """The address that ssh connects to, None where only ssh can resolve it (a name behind a jump host)."""
        # Where resolvers don't answer, the system waits for them much longer than ssh waits for a connection.
        resolving = Background().submit(
            lambda: socket.getaddrinfo(self.host.real_name, None, type=socket.SOCK_STREAM)
        )
        try:
            return str(resolving.result(CONNECT_SECONDS)[0][4][0])
        except OSError:
            return None

    def network(self, which: str) -> str:
        """Docker's name of the network that is shared with the ``proxy`` or the ``gateway``."""
        return self.settings.edge.proxy_network if which == "proxy" else self.settings.edge.gateway_network

    def kept(self) -> list[str]:
        """Nothing: nothing was created on the host."""
        self.close()
        return []

    def down(self) -> str:
        """Close the connection. Nothing was created on the host, so nothing is left there."""
        self.close()
        return ""

    def close(self) -> None:
        """End what is still being read, and close the connection. May be called again."""
        self.host.give_up()
        self._background.join(END_SECONDS)
        self.host.close()
