"""The deployment, brought up on this machine with its own proxy, CA and DNS, and taken down again without a trace.

Bringing up never raises for the deployment's own fault: the facts show what went wrong.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from lago_acceptance.composefile.cli import Project, Resolved
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core import run as runs
from lago_acceptance.core.awaited import Board, Wait
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import NO_PROXY, OTHER, Settings
from lago_acceptance.core.verdicts import Unknown, Unreachable
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import CommandResult
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images import resolve as images
from lago_acceptance.lago.derived import derived, given_for
from lago_acceptance.probes.public_endpoints import PublicEndpoints
from lago_acceptance.targets.from_outside import FromOutside
from lago_acceptance.targets.stack import docker_daemon, edge, kept, readiness, startup
from lago_acceptance.targets.stack.deployment_files import Declaration
from lago_acceptance.targets.stack.doors import doors
from lago_acceptance.targets.stack.entrance import (
    LABELS,
    OWN,
    PORTS,
    PROXY_KEY,
    ROUTES,
    Entrance,
    entrance_of,
    routes,
)
from lago_acceptance.targets.stack.extras import Extra, together
from lago_acceptance.targets.stack.gateway import GatewayStack
from lago_acceptance.targets.stack.mounts import Places
from lago_acceptance.targets.stack.observation import as_written, observed
from lago_acceptance.targets.stack.overlaid_files import OverlaidFiles, places_of
from lago_acceptance.targets.stack.overlay import binds
from lago_acceptance.targets.stack.own_proxy import EDGE_KEY, PLACEHOLDER, own_proxy, with_address
from lago_acceptance.targets.stack.startup import BringUp
from lago_acceptance.targets.stack.stores import stores_of

if TYPE_CHECKING:
    from lago_acceptance.facts.inside import InsideView

log = logging.getLogger(__name__)

PERMIT = "--target stack"


class Stack(FromOutside):
    """One deployment under test on this machine's Docker."""

    def __init__(self, options: Options, settings: Settings, run: runs.Run):
        self.options, self.given, self.run = options, settings, run
        self.settings = settings
        self.host = LocalHost()
        self.permit = Permit(PERMIT)
        self._written = Declaration(options, settings, run, self.host, self.permit)
        self.bring_up: BringUp | None = None
        self.edge: edge.Edge | None = None
        self.images: dict[str, images.ResolvedImage] = {}
        self.remarks: list[str] = []
        self.wants_gateway = False
        self.gateway: GatewayStack | None = None
        self._started: Resolved | None = None
        self._ending: str | None = None
        self._made_key: Secret | None = None
        # That of a proxy of the file's own, and whether it serves certificates that this run has made.
        self._address, self._own_certificates = "", False

    # --- before anything is started ---

    def prepare(self) -> None:
        """Check the daemon, read the files, find images. UsageError or Unreachable; nothing is started yet."""
        try:
            daemon = docker_daemon.read(self.host)
            self._written.docker = {"DOCKER_HOST": daemon.endpoint} if daemon.endpoint else {}
        finally:
            # A file that can't be used is told before a Docker that can't.
            declared = [self._written.resolved]
        self.given, remark = given_for(self.options.settings, self._written.model)
        self.remarks += [remark] * bool(remark)
        self.settings = derived(self._written.model, self.given).settings
        docker_daemon.refuse_unless_ours(daemon)
        if self.way.kind == OWN:
            # It is reached at its container, whose ports are not all published. Rules judge those that are.
            closed = msgspec.structs.replace(self.settings.edge, closed_ports=())
            self.settings = msgspec.structs.replace(self.settings, edge=closed)
        folder = self.run.private / "edge"
        edge.prepare(folder, (url.host for url in self.public_urls.values()))
        names = edge.names_of(self.settings.edge)
        networks = {which: self.network(which) for which in ("edge", "proxy")}
        bare_edge = edge.project(
            self.run.edge_project,
            folder,
            self.run.project,
            networks,
            names,
            network_names=self._shown_networks,
        )
        declared.append(_without(resolve(bare_edge), self.way))
        key = self.api_key or self.options.given_key()
        if self.wants_gateway and self.settings.host(GATEWAY) and key:
            self.gateway = GatewayStack(
                self.run,
                self.host,
                self.permit,
                key,
                {which: self.network(which) for which in ("gateway", "proxy")},
                self.settings.host(GATEWAY),
                names.variables,
                seconds=self.options.deadline,
                file=self.options.gateway_file,
            )
            declared.append(resolve(self.gateway.project))
        self.remarks += docker_daemon.sweep(daemon, self.host, self.permit)
        if self._written.unset:
            self.remarks.append(self._written.unset)
        stores = stores_of(self._written.model, self._networks_of_the_api())
        self.remarks += stores.told
        left_out = self.way.front.service if self.way.kind == ROUTES else None
        references = {
            service.image
            for each in declared
            for service in each.model.services
            if service.image and (left_out is None or service.name != left_out.name)
        } | set(stores.images)
        self.images = images.resolve(sorted(references), self.options.images, os.environ)
        taken = {asked: image.reference for asked, image in self.images.items()}
        files = OverlaidFiles(self.run, taken, self._written.docker)
        places = places_of(
            self.options.compose_file, self.run, self.options.allow_mount, edge.docker_socket(folder)
        )
        extras = self._extras(places, folder, names.resolver)
        networks = {PROXY_KEY: networks["proxy"], EDGE_KEY: networks["edge"], **self._written.networks}
        self.project, self._started = files.under_test(
            with_address(self._written.project, PLACEHOLDER),
            declared[0],
            networks,
            places,
            together(stores.extras, extras),
            stores.services,
        )
        self.remarks += files.told
        self._written.teach_keys(binds(self._started.document))
        self._edge_project = files.of_testbed("overlay-edge.yml", bare_edge, declared[1])
        self.gets_docker = any(edge.DOCKER_VIEW in each for each in binds(self._started.document))
        if self.gateway:
            self._gateway_project = files.of_testbed("overlay-gateway.yml", self.gateway.project, declared[2])

    def _networks_of_the_api(self) -> dict[str, Any]:
        """The networks on which the API looks for its stores, by key."""
        services = self._written.resolved.document["services"]
        api = next(iter(self._written.model.of_role(API)), None)
        return (services[api.name].get("networks") or {}) if api else {}

    @property
    def _shown_networks(self) -> dict[str, str]:
        """The names under which a proxy of the file's own sees this run's networks: as in the file."""
        if self.way.kind != OWN:
            return {}
        return {own: written for written, own in self._written.networks.items()}

    @cached_property
    def way(self) -> Entrance:
        """How the public gets in."""
        return entrance_of(self._written.model, self.given)

    def _extras(self, places: Places, folder: Path, resolver: str) -> dict[str, Extra]:
        """What is added to the file's services so that the public gets in as it does in production."""
        model, front = self._written.model, self.way.front
        if self.way.kind == ROUTES:
            self.remarks.append(
                f"the file does not have its proxy ({front.by}): a plain one sends each public URL to its service here"
            )
            tunnels = {front.service.name: Extra(started=False)} if front.service else {}
            return tunnels | routes(model, self.settings, resolver)
        if self.way.kind != OWN or front.service is None:
            return {}
        own = own_proxy(front.kind, front.service, model, places, folder)
        self.remarks += own.told
        self._own_certificates = own.own_certificates
        return {front.service.name: own.extra}

    @property
    def api_key(self) -> Secret | None:
        """The API key of the seeded organization, where it is known; else of the one that this run has made."""
        return self._written.api_key or self._made_key

    @property
    def admin(self) -> tuple[str, Secret] | None:
        """The administrator's address and password, where the deployment seeds one."""
        return self._written.admin

    @property
    def document(self) -> dict[str, Any]:
        """What Compose makes of the files with this run's changes, as it will be brought up; after ``prepare``."""
        return (self._started or self._written.resolved).document

    # --- up and down ---

    def up(self) -> None:
        """Bring deployment and edge up side by side, and wait until they serve or can't recover."""
        log.info(
            "bringing up %s, with proxy, CA and DNS%s",
            self.options.compose_file,
            " and a gateway" * bool(self.gateway),
        )
        self.make_networks()
        begun = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            starting = []
            if self.way.kind == OWN or self.gets_docker:
                # A proxy of the file's own needs its certificate authority when it starts, and its view of Docker.
                self._start_edge()
            elif self.way.kind != PORTS:
                starting.append(pool.submit(self._start_edge))
            if self.gateway:
                starting.append(pool.submit(self.gateway.up, self._gateway_project, self._compose))
            try:
                self.bring_up = self._bring_up()
                for each in starting:
                    each.result()
            except BaseException:
                self._ending = "the run is ending"
                raise
        if self.gateway and self.gateway.remark:
            self.remarks.append(self.gateway.remark)
        if self.bring_up.outcome.code == 0:
            started_in = time.monotonic() - begun
            self._ensure_organization()
            readiness.wait_for_work(self.observe, started_in)
            if self.edge:
                readiness.wait_for_certificates(
                    self.routed_hosts, self.edge.origin, self.edge.trusted(), started_in
                )

    def _ensure_organization(self) -> None:
        """Make an organization where the file seeds none: in production somebody signs up."""
        from lago_acceptance.scenarios import dedicated_organization

        if self.api_key or self.admin:
            return
        with suppress(Unknown):
            api = self.observe().running(API)
            self._made_key = dedicated_organization.key(self.host, api, self.permit)
            self.remarks.append("the file seeds no organization: this run bills in one that it has made")

    def make_networks(self) -> None:
        """Make networks of this run that replace the external ones."""
        shared = ("proxy", "edge", "gateway") if self.gateway else ("proxy", "edge")
        kept = self.run.private if self.options.keep else None
        for network in {*self._written.networks.values(), *map(self.network, shared)}:
            docker_daemon.create_network(network, self.run.id, self.host, self.permit, kept)
        if self.way.kind == OWN:
            self._address = docker_daemon.renumber(
                self.network("edge"), self.run.id, self.host, self.permit, kept
            )
            self.project = with_address(self.project, self._address)
            self._started = self._started and with_address(self._started, self._address)

    def _bring_up(self) -> BringUp:
        seconds = self.options.deadline
        with Board.shared.waiting(seconds, {"containers": "being created"}) as shown:
            outcome = self._compose(self.project, lambda: self._gave_up(shown))
        startup.refuse_own_fault(outcome)
        gave_up = outcome.stopped if outcome.code else startup.wait(self.host, self.run.project, seconds)
        return BringUp(outcome, gave_up)

    def network(self, which: str) -> str:
        """This run's network that replaces the one shared with the ``proxy`` or the ``gateway``, or that of the ``edge``."""
        named = self.settings.edge
        name = {"proxy": named.proxy_network, "gateway": named.gateway_network}.get(which, "")
        return self._written.networks.get(name, self.run.network(name or which))

    @property
    def routed_hosts(self) -> tuple[str, ...]:
        """The public names that a declared router names, and those that every Lago must have; all where no label routes."""
        if self.way.kind != LABELS:
            own = (url for role, url in self.public_urls.items() if role != GATEWAY)
            return tuple(dict.fromkeys(url.host for url in own if url.scheme == "https"))
        rules = " ".join(
            value
            for service in self._written.model.services
            for key, value in service.labels.items()
            if key.startswith("traefik.http.routers.") and key.endswith(".rule")
        )
        must = [self.settings.host(FRONT), self.settings.host(API)]
        # Where Lago did not come up, the gateway's certificate was not waited for.
        if self.gateway and self.bring_up and not self.bring_up.outcome.code:
            must.append(self.settings.host(GATEWAY))
        names = dict.fromkeys(url.host for url in self.public_urls.values())
        return tuple(name for name in names if name in must or f"`{name}`" in rules)

    def _start_edge(self) -> None:
        own = self.way.kind in (OWN, PORTS)
        services = (*edge.SERVICES, edge.DOCKER_VIEW) if own else ()
        with Board.shared.waiting(self.options.deadline, {"proxy, CA and DNS": "starting"}):
            outcome = self._compose(self._edge_project, lambda: self._ending, services)
        startup.refuse_own_fault(outcome)
        if outcome.code:
            raise Unreachable(
                f"proxy, CA and DNS of the test stack did not come up: {BringUp(outcome, None).failed}"
            )
        folder = self.run.private / "edge"
        if own or self.gets_docker:
            edge.wait_for_docker_socket(folder)
        if self.way.kind == PORTS:
            return
        self.edge = edge.attach(
            self.host,
            self.run.edge_project,
            folder,
            self.network("edge"),
            self._address,
            # The run's own proxy is in the place of one that the file does not have.
            OTHER if self.way.kind == ROUTES else self.way.front.kind,
            self._own_certificates,
        )
        self.edge.point_names({url.host for url in self.public_urls.values()}, self.edge.origin)

    @property
    def _running_edge(self) -> edge.Edge:
        if self.edge is None:
            raise Unreachable("the test stack's edge was not started")
        return self.edge

    def public_view(self) -> PublicEndpoints:
        """Where this stack is seen from outside: its own DNS, its own CA, its proxy; without one, its ports."""
        if self.way.kind == PORTS:
            return PublicEndpoints(
                urls=self.public_urls,
                resolvers=(),
                origin=None,
                browser_api=self.settings.browser_api,
                doors=doors(self.host, self.run.project, self._written.model, self.public_urls),
                proxy=NO_PROXY,
            )
        urls = {role: url for role, url in self.public_urls.items() if url.host in self.routed_hosts}
        return self._running_edge.view(urls, self.settings.browser_api)

    def own_organization(self, facts: Facts) -> None:
        """None: the whole stack was made for this run."""

    @property
    def no_gateway(self) -> str:
        """Why no gateway was started although one was wanted; "" where one was."""
        if self.gateway or not self.wants_gateway:
            return ""
        return (
            "no gateway was started beside this stack: it needs the organization's API key before Lago is up, and the "
            "compose file seeds none; set both LAGO_ORG_API_KEY and LAGO_API_KEY, or give --api-key-file"
        )

    def read_inside(self, facts: Facts) -> InsideView:
        """Lago as gateway and API see it inside their containers."""
        from lago_acceptance.facts.collect import read_inside
        from lago_acceptance.facts.inside import view_of

        return view_of(read_inside(self.host, facts, self.network("gateway")))

    def _compose(
        self, project: Project, give_up: Callable[[], str | None], services: tuple[str, ...] = ()
    ) -> CommandResult:
        from lago_acceptance.targets.stack.compose_runner import RunCompose

        deadline = self.options.deadline
        return RunCompose(project, self.host, self.permit, deadline, give_up, services).run("up")

    def down(self) -> str:
        """Take down everything that this run has created; what is left afterwards, "" when nothing is."""
        log.info("taking the stack down")
        left = docker_daemon.remove(self.run.id, self.host, self.permit)
        if not left:
            # Docker may have finished what a killed run asked for after the first sweep.
            with suppress(Unreachable):
                again = docker_daemon.sweep(docker_daemon.read(self.host), self.host, self.permit)
                self.remarks += [each for each in again if each not in self.remarks]
        return left

    # --- while it comes up ---

    def _gave_up(self, shown: Wait) -> str | None:
        """Why it is useless to wait for Compose, or None: a service that others depend on can't recover."""
        awaited = {name for service in self._written.model.services for name in service.depends_on}
        seen = startup.progress(self.host, self.run.project)
        shown.tell(startup.unready(seen) or shown.states)
        lost = startup.lost(seen)
        return next((reason for name, reason in lost.items() if name in awaited), None)

    # --- facts ---

    def kept(self) -> list[str]:
        """Leave it up; where it can be reached, how to log in, and how to remove it: a sentence each."""
        return kept.sentences(self.run, self.host, self._written, self.edge, self.routed_hosts)

    def observe(self) -> Facts:
        """The facts of this deployment, in one round trip."""
        written = self._written.resolved
        started = self._started or written
        found = observed(
            self.host, self.project, self.run.private, binds(started.document), self.settings.signs
        )
        own = {self.network("proxy"), self.network("edge")} - set(self._written.networks.values())
        return as_written(found, written.model, started.model, frozenset(own))


def _without(resolved: Resolved, way: Entrance) -> Resolved:
    """The edge without its proxy where the run starts none: its image need not be there."""
    if way.kind not in (OWN, PORTS):
        return resolved
    services = {name: raw for name, raw in resolved.document["services"].items() if name != edge.PROXY}
    return msgspec.structs.replace(resolved, document=resolved.document | {"services": services})
