"""A deployment that runs somewhere, looked at over ssh and from outside.

Changed there is only what --allow-writes says.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unreachable, UsageError
from lago_acceptance.facts.collect import TOO, observe
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.address import parse
from lago_acceptance.hosts.ssh import SshHost
from lago_acceptance.hosts.ssh_errors import CONNECT_SECONDS
from lago_acceptance.probes.public_endpoints import SYSTEM, PublicEndpoints, Resolver
from lago_acceptance.reports.last_run import LastRunFile

if TYPE_CHECKING:
    from lago_acceptance.checks.inside import InsideView
    from lago_acceptance.clients.connection import Connection
    from lago_acceptance.clients.invalid_credentials import InvalidCredentials
    from lago_acceptance.core.secrets import Secret
    from lago_acceptance.probes.survey import PublicSurvey


class Live:
    """One host. Its facts and what is seen from outside are taken side by side, as soon as it is made
    ready."""

    bring_up = None
    # Of a live host's gateway and keys nothing is known beyond what its facts tell.
    gateway = admin = api_key = None
    wants_gateway = False
    no_gateway = ""
    # Whether what gateway and API see of each other is looked at along with the facts.
    looks_inside = True
    how_to_remove = "nothing was made there"

    def __init__(self, options: Options, settings: Settings):
        self.options, self.settings = options, settings
        if len(options.hosts) != 1:
            raise UsageError(
                "a live run looks at one host; several are looked at side by side, by a run each"
            )
        self.permit = Permit("--allow-writes") if options.allow_writes else None
        self.images: dict = {}
        self.remarks: list[str] = []
        self.host = SshHost(parse(options.hosts[0]), options.ssh_config)
        self._looks = ThreadPoolExecutor(4)
        self._connections: dict[str, Future[Connection]] = {}
        self._facts: Future[Facts] | None = None
        self._outside: Future[PublicSurvey] | None = None

    def prepare(self) -> None:
        """Begin to look, once. What can't be reached is told by ``up``."""
        if self._facts is not None:
            return
        self._facts = self._looks.submit(self.observe)
        self._outside = self._looks.submit(self._look)

    def _look(self) -> PublicSurvey:
        from lago_acceptance.probes.survey import look

        return look(self.public_view(), self.settings.edge.closed_ports)

    def up(self) -> None:
        """Wait for the facts. Unreachable, with the step of the way that failed."""
        self._facts.result()

    def observe(self) -> Facts:
        """The facts of the host: those that were taken at the start, for nothing is changed in between."""
        if self._facts is not None and self._facts.done():
            return self._facts.result()
        backup = self.settings.backup
        facts = observe(
            self.host,
            project=self.options.project,
            wanted_directory=self.settings.deployment.directory,
            backups=backup.files if backup else "",
            gateway_network=self.network("gateway"),
            inside=TOO if self.looks_inside else "",
        )
        if not facts.project and len(facts.lagos) > 1:
            here = ", ".join(f"{name} ({folder or 'no folder'})" for name, folder in facts.lagos.items())
            wanted = self.settings.deployment.directory
            which = "several lie" if wanted in facts.lagos.values() else "none lies"
            raise Unreachable(
                f"{len(facts.lagos)} Lago stacks are on {self.host.name}: {here}; {which} in {wanted} "
                "(settings.toml), "
                "so say which one is meant: --project NAME"
            )
        return facts

    def look_inside(self, facts: Facts) -> InsideView:
        """Lago as gateway and API see it inside of their containers."""
        from lago_acceptance.checks.inside import view_of
        from lago_acceptance.facts.collect import look_inside

        return view_of(facts if self.looks_inside else look_inside(self.host, facts, self.network("gateway")))

    def own_organization(self, facts: Facts) -> Secret:
        """The key of the suite's own organization. Unknown where Lago does not make it."""
        from lago_acceptance.scenarios.dedicated_organization import key

        return key(self.host, facts.running(API), self.permit)

    @cached_property
    def nobody(self) -> InvalidCredentials:
        """Credentials that nobody has."""
        from lago_acceptance.clients.invalid_credentials import InvalidCredentials

        return InvalidCredentials()

    def ask_ahead(self, *roles: str) -> None:
        """Begin to ask by the public names what checks of these roles will want to know."""
        from lago_acceptance.clients.invalid_credentials import connect_ahead

        view = self.public_view()
        self._connections = {
            role: self._looks.submit(connect_ahead, view, role, self.nobody)
            for role in roles
            if role in view.hosts
        }

    def connection(self, role: str) -> Connection:
        """A connection to the API or the gateway by its public name."""
        from lago_acceptance.clients.invalid_credentials import connect

        # One that is closed again is made anew.
        ahead = self._connections.pop(role, None)
        return ahead.result() if ahead else connect(self.public_view(), role)

    def look(self) -> PublicSurvey:
        """What was seen from outside."""
        return self._outside.result()

    def public_view(self) -> PublicEndpoints:
        """Where it is seen from outside: public DNS, this machine's trusted roots, the host's own address."""
        hosts = self.settings.hosts
        edge = self.settings.edge
        named = {
            role: name
            for role, name in ((FRONT, hosts.front), (API, hosts.api), (GATEWAY, hosts.gateway))
            if name
        }
        public = tuple(Resolver(address, address) for address in edge.resolvers)
        return PublicEndpoints(
            hosts=named,
            resolvers=((Resolver(SYSTEM),) if edge.system_resolver else ()) + public,
            origin=edge.origin or self._address,
            roots=self._roots,
        )

    @cached_property
    def _address(self) -> str | None:
        """The address that ssh goes to, None where only ssh knows the way (a jump host's own names)."""
        found: list[str] = []

        def resolve() -> None:
            with suppress(OSError):
                found.append(socket.getaddrinfo(self.host.real_name, None, type=socket.SOCK_STREAM)[0][4][0])

        # Resolvers that never answer are waited for much longer than a connection.
        asking = threading.Thread(target=resolve, daemon=True)
        asking.start()
        asking.join(CONNECT_SECONDS)
        return found[0] if found else None

    @property
    def _roots(self) -> str | None:
        if self.options.ca_file is None:
            return None
        return self.options.ca_file.read_text("utf-8")

    def network(self, which: str) -> str:
        """Docker's name of the network that is shared with the ``proxy`` or the ``gateway``."""
        return self.settings.edge.proxy_network if which == "proxy" else self.settings.edge.gateway_network

    @cached_property
    def memory(self) -> LastRunFile:
        """What the last look at this host has left on this machine."""
        return LastRunFile(self.options.reports / "state", self.host.name, self.options.project)

    def down(self) -> str:
        """End the connection. Nothing was made on the host, so nothing is left there."""
        self.close()
        return ""

    def close(self) -> None:
        """End the connection. May be called again."""
        self._looks.shutdown(wait=True, cancel_futures=True)
        self.host.close()
