"""What a healthcheck may run in a service, by its role: remedies. No rule is registered here."""

from __future__ import annotations

from lago_acceptance.core.roles import API, CLOCK, DB, FRONT, PDF, REDIS, WORKER
from lago_acceptance.model.deployment import Service

_COMMANDS = {
    API: "curl -fsS http://localhost:{port}/health",
    WORKER: "curl -fsS http://localhost:{port}",
    # The clock has no port.
    CLOCK: "grep -qa clockwork /proc/1/cmdline",
    FRONT: "curl -fsS http://localhost/env-config.js",
    PDF: "curl -fsS http://localhost:{port}/health",
    DB: "pg_isready -h 127.0.0.1 -p {port}",
    REDIS: "redis-cli -p {port} ping",
}
_PORTS = {API: 3000, PDF: 3000, DB: 5432, REDIS: 6379}


def health_command(service: Service, port: int | None) -> str:
    """A command that fails where the service is dead; ``port`` is where it listens, None where that isn't known."""
    role = service.role or ""
    if role == WORKER and port is None:
        return "grep -qa '[s]idekiq' /proc/[0-9]*/cmdline"
    return _COMMANDS[role].format(port=port or _PORTS.get(role, 0))
