"""What the stock images do at their start: where they write, and which of root's capabilities they use.

Only for images that are known. An image built for the deployment may differ, so nothing is known of it.
"""

from __future__ import annotations

import re

import msgspec

from lago_acceptance.core.roles import API, DB, FRONT, PDF, REDIS, WORKER
from lago_acceptance.model.deployment import Service

ROOT_USERS = ("", "0", "root")
DOCROOT = "/usr/share/nginx/html"
# Docker's default: what a container has without asking.
DEFAULT_CAPABILITIES = frozenset(
    [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ]
)
_LIBRARY = r"^(?:[\w-]+\.[\w.-]+(?::\d+)?/(?:docker/)?)?(?:library/)?"
_POSTGRES = re.compile(
    _LIBRARY + r"postgres(?:[:@]|$)|(?:^|/)(?:postgis/postgis|getlago/postgres-partman|pgvector/pgvector"
    r"|timescale/timescaledb)(?:[:@]|$)"
)
_REDIS = re.compile(_LIBRARY + r"(?:redis|valkey/valkey)(?:[:@]|$)")


class WrittenPath(msgspec.Struct, frozen=True):
    """A path that an image writes to, and what fails where it can't. ``essential``: the container can't do its work."""

    path: str
    failure: str
    essential: bool = True


def runs_as_root(service: Service) -> bool:
    """Whether the compose file leaves the user of the image alone, or sets root."""
    return service.user.partition(":")[0] in ROOT_USERS


def written_paths(service: Service) -> tuple[WrittenPath, ...]:
    """The paths that a stock image writes to at run time, its volumes left out; () for an unknown image."""
    if service.built:
        return ()
    image, role = service.image, service.role
    if "getlago/api" in image and role == API:
        return (
            WrittenPath("/app/tmp", "the server can't create tmp/pids and exits at boot"),
            WrittenPath("/tmp", "uploads and large requests answer 500", essential=False),
        )
    if "getlago/api" in image and role == WORKER:
        return (
            WrittenPath("/tmp", "jobs that need a temporary file fail, such as exports", essential=False),
        )
    if "getlago/front" in image and role == FRONT:
        never = "nginx never starts"
        page = WrittenPath(f"{DOCROOT}/env-config.js", f"the entrypoint can't write it, and {never}")
        own = not service.entrypoint or any(".env.sh" in word for word in service.entrypoint)
        return (
            *((page,) if own else ()),
            WrittenPath("/var/cache/nginx", never),
            WrittenPath("/run", never),
        )
    if role == DB and _POSTGRES.search(image) and "unix_socket_directories" not in service.full_command:
        return (WrittenPath("/run/postgresql", "PostgreSQL can't create its socket there and exits"),)
    if role == PDF and "gotenberg" in image:
        temporary = WrittenPath("/tmp", "no PDF is made")
        home = WrittenPath("/home/gotenberg", "Chromium doesn't start, so no PDF is made")
        return (temporary,) if re.search(r":v?7\b", image) else (temporary, home)
    return ()


def needed_capabilities(service: Service) -> dict[str, tuple[str, ...]]:
    """The capabilities that a stock image needs where it starts as root: name, and others that do as well."""
    if service.built or not runs_as_root(service):
        return {}
    own_entrypoint = not service.entrypoint or "docker-entrypoint.sh" in service.entrypoint[-1]
    if service.role == DB and _POSTGRES.search(service.image) and own_entrypoint:
        return {"CHOWN": (), "DAC_OVERRIDE": ("DAC_READ_SEARCH",), "SETGID": (), "SETUID": ()}
    first = next(iter(service.command), "redis-server")
    server = first.endswith(("redis-server", "valkey-server", ".conf")) or first.startswith("-")
    if service.role == REDIS and _REDIS.search(service.image) and own_entrypoint and server:
        return {"SETGID": (), "SETUID": ()}
    if service.role == FRONT and "getlago/front" in service.image:
        return {"CHOWN": (), "SETGID": (), "SETUID": ()}
    return {}


def capabilities(service: Service) -> frozenset[str]:
    """The capabilities that a container starts with."""
    added, dropped = _names(service.cap_add), _names(service.cap_drop)
    if service.privileged or "ALL" in added:
        return DEFAULT_CAPABILITIES
    return (frozenset() if "ALL" in dropped else DEFAULT_CAPABILITIES - dropped) | added


def _names(written: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.upper().removeprefix("CAP_") for name in written)
