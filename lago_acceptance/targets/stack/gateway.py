"""The gateway beside a stack: a Compose project of its own, with a token issuer and a receiver of webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from lago_acceptance.clients.gateway import Gateway, Operation
from lago_acceptance.clients.token_issuer import NAME, Issuer
from lago_acceptance.clients.webhook_receiver import WebhookReceiver
from lago_acceptance.composefile.cli import Project
from lago_acceptance.core.attempt import Attempt
from lago_acceptance.core.awaited import Board, Wait
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import TESTBED
from lago_acceptance.core.run import Run, tenant_of
from lago_acceptance.core.secrets import Secret
from lago_acceptance.core.verdicts import Unknown, Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.hosts.base import CommandResult, Host, ReadCommand, WriteCommand
from lago_acceptance.targets.stack import startup

FILE = TESTBED / "gateway.yml"
GATEWAY, WEBHOOK_RECEIVER = "brain-gateway", "webhook-receiver"
SECONDS = 60
PORT = 8000


class GatewayStack:
    """The gateway's project. ``failed`` says why it did not come up, None when it did.

    ``variables`` set or override what gateway.yml reads.
    """

    def __init__(
        self,
        run: Run,
        host: Host,
        permit: Permit,
        key: Secret,
        networks: dict[str, str],
        public_name: str,
        variables: dict[str, str] | None = None,
    ):
        self.run, self.host, self._permit = run, host, permit
        self.issuer = Issuer(tenant_of(run.id))
        self.failed: str | None = None
        self._addresses: dict[str, dict[str, str]] = {}
        folder = run.private / "issuer"
        self.issuer.publish(folder)
        self.project = Project(
            name=f"{run.project}-gateway",
            files=(FILE,),
            variables={
                "GATEWAY_NETWORK": networks["gateway"],
                "PROXY_NETWORK": networks["proxy"],
                "GATEWAY_HOST": public_name,
                "LAGO_API_KEY": key.reveal(),
                "ISSUER_FOLDER": str(folder),
                "JWT_ISSUER": NAME,
                "TENANTS": self.issuer.tenant,
                **(variables or {}),
            },
        )

    def up(self, project: Project, compose: Callable[[Project, Any], CommandResult]) -> None:
        """Start it and wait until it is healthy. A gateway that fails is a finding of phase 4, not of the bring-up."""
        outcome = compose(project, None)
        if outcome.code:
            lines = [line for line in outcome.output.splitlines() if line.strip()]
            self.failed = lines[-1].strip() if lines else f"Compose ended with code {outcome.code}"
            return
        with Board.shared.waiting(SECONDS, {"gateway": "starting"}) as shown:
            if not until(lambda: self._settled(shown), SECONDS):
                self.failed = f"it is not healthy after {SECONDS} s"

    def _settled(self, shown: Wait) -> bool:
        seen = startup.progress(self.host, self.project.name)
        shown.tell(startup.unready(seen))
        containers = [container for container, _ in seen]
        dead = next((each for each in containers if not each.running), None)
        self.failed = f"{dead.service.name} has ended with exit code {dead.exit_code}" if dead else None
        return bool(dead) or bool(containers) and all(each.health in (None, "healthy") for each in containers)

    def receiver_on(self, network: str) -> WebhookReceiver:
        """Put the receiver of webhooks on a network of the deployment."""
        container = f"{self.project.name}-{WEBHOOK_RECEIVER}-1"
        outcome = self.host.change(
            WriteCommand(
                "connecting the webhook receiver",
                ("docker", "network", "connect", network, container),
                deadline=20,
            ),
            self._permit,
        )
        if outcome.code and "already exists" not in outcome.output:
            raise Unreachable(
                f"the receiver of webhooks could not join {network}: {outcome.output.strip()[:200]}"
            )
        self._addresses.clear()
        inside = f"http://{self.addresses(WEBHOOK_RECEIVER)[network]}:{PORT}"
        return WebhookReceiver(inside, self._receiver_url)

    def addresses(self, service: str) -> dict[str, str]:
        """The addresses of one of its services by network. Unreachable when it doesn't run."""
        if service not in self._addresses:
            text = (
                'docker ps --quiet --filter "label=com.docker.compose.project=$project" '
                '--filter "label=com.docker.compose.service=$service" '
                "| xargs -r docker inspect --format '{{json .NetworkSettings.Networks}}'"
            )
            output = self.host.read(
                ReadCommand("gateway's addresses", text, {"project": self.project.name, "service": service})
            )
            if not output.strip():
                raise Unreachable(
                    f"{service} is not running beside the stack; is something else removing containers?"
                )
            self._addresses[service] = {
                name: options["IPAddress"]
                for name, options in json.loads(output).items()
                if options["IPAddress"]
            }
        return self._addresses[service]

    def token(self, gateway: Gateway, there: dict[str, Operation]) -> Secret:
        """A token of this run's tenant. Unknown where the gateway trusts another issuer than this run's."""
        token = self.issuer.token()
        if mine := there.get("subscriptions"):
            tried = Attempt.of(gateway.read, mine, token)
            if not tried.failure and tried.value().status in (401, 403) and not self.knows_issuer:
                raise Unknown(
                    "the gateway refuses this run's token and never fetched the keys of its issuer, so it trusts "
                    "another issuer, whose tokens can't be made here",
                    why="tokens of the gateway's own issuer can't be made here",
                )
        return token

    @property
    def knows_issuer(self) -> bool:
        """Whether the keys of this run's issuer were ever fetched: a gateway that has not done so trusts another issuer."""
        return WebhookReceiver("", self._receiver_url).key_requests() > 0

    @property
    def _receiver_url(self) -> str:
        return f"http://{next(iter(self.addresses(WEBHOOK_RECEIVER).values()))}:{PORT}"
