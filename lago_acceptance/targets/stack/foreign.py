"""Containers of others that could take the test stack's routes, or be taken for a part of it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import msgspec

from lago_acceptance.core import run as runs
from lago_acceptance.core.roles import ALL, DB, PDF, REDIS, role_of
from lago_acceptance.model.from_docker import PROJECT_LABEL

# A second database or Redis does no harm to a test stack; a second Lago or Traefik does.
_IN_THE_WAY = tuple(role for role in ALL if role not in (DB, REDIS, PDF))
_TITLE = "org.opencontainers.image."
_FLAGS = ("--providers.docker", "--providers.swarm", "--docker.")
_PUBLIC_PORTS = ("80", "443")


class RunningContainer(msgspec.Struct, frozen=True, kw_only=True):
    """A running container as ``docker inspect`` shows it, in the names of scripts/daemon.sh."""

    id: str
    name: str
    image: str
    path: str = ""
    args: list[str] | None = None
    labels: dict[str, str] | None = None
    mounts: list[dict[str, Any]] | None = None
    network: str = ""
    ports: dict[str, list[dict[str, str]] | None] | None = None

    @property
    def ours(self) -> bool:
        """Whether it is part of a test stack."""
        return (self.labels or {}).get(PROJECT_LABEL, "").startswith(runs.PREFIX)

    @property
    def words(self) -> tuple[str, ...]:
        """What it runs."""
        return (self.path, *(self.args or ()))

    @property
    def in_the_way(self) -> str:
        """Why no test stack may run beside it, "" if one may."""
        if (role := role_of(self.image, " ".join(self.words))) in _IN_THE_WAY:
            return f"looks like a Lago stack (role {role})"
        if self._is_traefik:
            return "runs Traefik"
        if self._sees_docker and (self.network == "host" or self._serves_the_public):
            return "watches Docker and serves the web, as Traefik does"
        return ""

    @property
    def _is_traefik(self) -> bool:
        words = " ".join(self.words).lower().split()
        titles = (text for key, text in (self.labels or {}).items() if key.startswith(_TITLE))
        return (
            any(PurePosixPath(word).name.startswith("traefik") or word.startswith(_FLAGS) for word in words)
            or "--docker" in words
            or any("traefik" in text.lower() for text in titles)
        )

    @property
    def _sees_docker(self) -> bool:
        """Whether the daemon's socket, or a folder with it, is mounted."""
        sources = (PurePosixPath(mount.get("Source") or "-") for mount in self.mounts or ())
        return any(
            source.name.endswith("docker.sock") or str(source) in ("/", "/run", "/var", "/var/run")
            for source in sources
        )

    @property
    def _serves_the_public(self) -> bool:
        bindings = (each for ports in (self.ports or {}).values() for each in ports or ())
        return any(
            each.get("HostPort") in _PUBLIC_PORTS and not each.get("HostIp", "").startswith("127.")
            for each in bindings
        )
