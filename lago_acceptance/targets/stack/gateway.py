"""The gateway beside a stack: a Compose project of its own, with a token issuer and a receiver of webhooks."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lago_acceptance.checks import gateway_log
from lago_acceptance.clients.token_issuer import NAME, Issuer
from lago_acceptance.clients.webhook_receiver import WebhookReceiver
from lago_acceptance.composefile.cli import Project
from lago_acceptance.core.awaited import Board, Wait
from lago_acceptance.core.permit import Permit
from lago_acceptance.core.resources import TESTBED
from lago_acceptance.core.run import Run, tenant_of
from lago_acceptance.core.secrets import Secret, excerpt, redact
from lago_acceptance.core.verdicts import Unreachable
from lago_acceptance.core.waiting import until
from lago_acceptance.facts.types import Container
from lago_acceptance.hosts.base import CommandResult, Host, ReadCommand, WriteCommand
from lago_acceptance.targets.stack import startup, tenant_row

FILE = TESTBED / "gateway.yml"
GATEWAY, WEBHOOK_RECEIVER, DATABASE = "brain-gateway", "webhook-receiver", "brain-db"
PORT = 8000
_LOG_LINES, _LONGEST = 300, 200_000


class GatewayStack:
    """The gateway's project. ``failed`` says why it did not come up, None when it did.

    ``seconds`` is how long it may take to become healthy. ``file`` is laid over gateway.yml, for a gateway that needs more
    than the stand-in does; ``variables`` set or override what both read.
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
        *,
        seconds: float = 180,
        file: Path | None = None,
    ):
        self.run, self.host, self._permit, self._seconds = run, host, permit, seconds
        self.issuer = Issuer(tenant_of(run.id))
        self.failed: str | None = None
        self.remark = ""
        self._addresses: dict[str, dict[str, str]] = {}
        folder = run.private / "issuer"
        self.issuer.publish(folder)
        self.project = Project(
            name=f"{run.project}-gateway",
            files=(FILE, file.absolute()) if file else (FILE,),
            variables={
                "GATEWAY_NETWORK": networks["gateway"],
                "PROXY_NETWORK": networks["proxy"],
                "GATEWAY_HOST": public_name,
                "LAGO_API_KEY": key.reveal(),
                "ISSUER_FOLDER": str(folder),
                "JWT_ISSUER": NAME,
                "DATABASE_PASSWORD": secrets.token_hex(16),
                "START_PERIOD": f"{max(1, math.ceil(seconds))}s",
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
        with Board.shared.waiting(self._seconds, {"gateway": "starting"}) as shown:
            if not until(lambda: self._settled(shown), self._seconds):
                self.failed = f"it is not healthy after {self._seconds:.0f} s{self._last_words()}"
        if not self.failed:
            self.remark = tenant_row.insert(
                self.host, self._permit, f"{self.project.name}-{DATABASE}-1", self.issuer.tenant
            )

    def _settled(self, shown: Wait) -> bool:
        seen = startup.progress(self.host, self.project.name)
        shown.tell(startup.unready(seen))
        containers = [container for container, _ in seen]
        dead = next((each for each in containers if not each.running), None)
        self.failed = self._ended(dead) if dead else None
        return bool(dead) or bool(containers) and all(each.health in (None, "healthy") for each in containers)

    def _ended(self, dead: Container) -> str:
        return f"{dead.service.name} has ended with exit code {dead.exit_code}{_quoted(self.log(dead.service.name))}"

    def _last_words(self) -> str:
        """What those of its services said last that are not healthy, of their health and in their log."""
        seen = startup.progress(self.host, self.project.name)
        late = [each for each, _ in seen if each.health not in (None, "healthy")]
        return "".join(
            f"; {each.service.name} is {each.health}, its last health check said: "
            f"{excerpt(' '.join(each.health_output.split()), 200) or 'nothing'}{_quoted(self.log(each.service.name))}"
            for each in late
        )

    def log(self, service: str = GATEWAY) -> tuple[str, ...]:
        """The last lines that one of its services has printed until now."""
        text = (
            'docker ps --all --quiet --filter "label=com.docker.compose.project=$project" '
            '--filter "label=com.docker.compose.service=$service" '
            f"| xargs -r docker logs --tail {_LOG_LINES} 2>&1 | tail -c {_LONGEST}"
        )
        asked = ReadCommand("gateway's log", text, {"project": self.project.name, "service": service})
        return tuple(redact(self.host.read(asked)).splitlines())

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

    def asked_for_keys(self) -> bool:
        """Whether the keys of this run's issuer were ever fetched: a gateway that has not done so trusts another issuer."""
        return WebhookReceiver("", self._receiver_url).key_requests() > 0

    @property
    def _receiver_url(self) -> str:
        return f"http://{next(iter(self.addresses(WEBHOOK_RECEIVER).values()))}:{PORT}"


def _quoted(log: Sequence[str]) -> str:
    line = gateway_log.last(log)
    return f"; its last line: {line}" if line else ""
