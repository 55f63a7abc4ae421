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
from typing import TYPE_CHECKING, Any

from lago_acceptance.composefile.cli import Project, Resolved
from lago_acceptance.composefile.resolve import resolve
from lago_acceptance.core import run as runs
from lago_acceptance.core.awaited import Board, Wait
from lago_acceptance.core.options import Options
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.roles import API, FRONT, GATEWAY
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.settings import Settings
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.facts.types import Facts
from lago_acceptance.hosts.base import CommandResult
from lago_acceptance.hosts.local import LocalHost
from lago_acceptance.images import resolve as images
from lago_acceptance.lago.derived import derived, given_for
from lago_acceptance.probes.public_endpoints import PublicEndpoints
from lago_acceptance.targets.from_outside import FromOutside
from lago_acceptance.targets.stack import docker_daemon, edge, kept, readiness, startup
from lago_acceptance.targets.stack.deployment_files import Declaration
from lago_acceptance.targets.stack.gateway import GatewayStack
from lago_acceptance.targets.stack.observation import as_written, observed
from lago_acceptance.targets.stack.overlaid_files import OverlaidFiles, places_of
from lago_acceptance.targets.stack.overlay import binds
from lago_acceptance.targets.stack.startup import BringUp

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
        edge_folder = self.run.private / "edge"
        edge.prepare(edge_folder)
        bare_edge = edge.project(self.run.edge_project, edge_folder, self.run.project, self.network("proxy"))
        declared.append(resolve(bare_edge))
        key = self.api_key or self.options.given_key()
        if self.wants_gateway and self.settings.host(GATEWAY) and key:
            networks = {which: self.network(which) for which in ("gateway", "proxy")}
            self.gateway = GatewayStack(
                self.run,
                self.host,
                self.permit,
                key,
                networks,
                self.settings.host(GATEWAY),
                seconds=self.options.deadline,
                file=self.options.gateway_file,
            )
            declared.append(resolve(self.gateway.project))
        self.remarks += docker_daemon.sweep(daemon, self.host, self.permit)
        if self._written.unset:
            self.remarks.append(self._written.unset)
        references = {service.image for each in declared for service in each.model.services if service.image}
        self.images = images.resolve(sorted(references), self.options.images, os.environ)
        taken = {asked: image.reference for asked, image in self.images.items()}
        files = OverlaidFiles(self.run, taken, self._written.docker)
        places = places_of(self.options.compose_file, self.run, self.options.allow_mount)
        self.project, self._started = files.under_test(
            self._written.project, declared[0], self._written.networks, places
        )
        self.remarks += files.told
        self._written.teach_keys(binds(self._started.document))
        self._edge_project = files.of_testbed("overlay-edge.yml", bare_edge, declared[1])
        if self.gateway:
            self._gateway_project = files.of_testbed("overlay-gateway.yml", self.gateway.project, declared[2])

    @property
    def api_key(self) -> Secret | None:
        """The API key of the seeded organization, where it is known."""
        return self._written.api_key

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
            starting = [pool.submit(self._start_edge)]
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
            readiness.wait_for_work(self.observe, started_in)
            running = self._running_edge
            readiness.wait_for_certificates(
                self.routed_hosts, running.origin, running.root_certificate(), started_in
            )

    def make_networks(self) -> None:
        """Make networks of this run that replace the external ones."""
        shared = ("proxy", "gateway") if self.gateway else ("proxy",)
        for network in {*self._written.networks.values(), *map(self.network, shared)}:
            docker_daemon.create_network(
                network,
                self.run.id,
                self.host,
                self.permit,
                self.run.private if self.options.keep else None,
            )

    def _bring_up(self) -> BringUp:
        seconds = self.options.deadline
        with Board.shared.waiting(seconds, {"containers": "being created"}) as shown:
            outcome = self._compose(self.project, lambda: self._gave_up(shown))
        startup.refuse_own_fault(outcome)
        gave_up = outcome.stopped if outcome.code else startup.wait(self.host, self.run.project, seconds)
        return BringUp(outcome, gave_up)

    def network(self, which: str) -> str:
        """This run's network that replaces the one shared with the ``proxy`` or the ``gateway``."""
        edge_settings = self.settings.edge
        name = edge_settings.proxy_network if which == "proxy" else edge_settings.gateway_network
        return self._written.networks.get(name, self.run.network(name or which))

    @property
    def routed_hosts(self) -> tuple[str, ...]:
        """The public names that a declared router names, and those that every Lago must have."""
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
        with Board.shared.waiting(self.options.deadline, {"proxy, CA and DNS": "starting"}):
            outcome = self._compose(self._edge_project, lambda: self._ending)
        startup.refuse_own_fault(outcome)
        if outcome.code:
            raise Unreachable(
                f"proxy, CA and DNS of the test stack did not come up: {BringUp(outcome, None).failed}"
            )
        self.edge = edge.attach(self.host, self.run.edge_project, self.run.private / "edge")
        self.edge.point_names({url.host for url in self.public_urls.values()}, self.edge.origin)

    @property
    def _running_edge(self) -> edge.Edge:
        if self.edge is None:
            raise Unreachable("the test stack's edge was not started")
        return self.edge

    def public_view(self) -> PublicEndpoints:
        """Where this stack is seen from outside: its own DNS, its own CA, its own proxy."""
        urls = {role: url for role, url in self.public_urls.items() if url.host in self.routed_hosts}
        return self._running_edge.view(urls)

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

    def _compose(self, project: Project, give_up: Callable[[], str | None]) -> CommandResult:
        from lago_acceptance.targets.stack.compose_runner import RunCompose

        return RunCompose(project, self.host, self.permit, self.options.deadline, give_up).run("up")

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
        return as_written(found, written.model, started.model)
