"""A service's role in Lago, from its image, command and labels, never from its name.

Python and the script that reads a Docker host (facts/scripts/render.py) use the same table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DB, REDIS, MIGRATE, API, WORKER, CLOCK = "db", "redis", "migrate", "api", "worker", "clock"
FRONT, PDF, PROXY, GATEWAY = "front", "pdf", "proxy", "gateway"
LAGO_RUBY = (MIGRATE, API, WORKER, CLOCK)
ALL = (DB, REDIS, MIGRATE, API, WORKER, CLOCK, FRONT, PDF, PROXY, GATEWAY)
LABEL = "lago-acceptance.role"

# Matched against "<image> <entrypoint and command>", in order. Scripts: docs/lago-facts.md, section 1.1.
# A script's name is enough; a bare `sidekiq` or `rails s` counts only in an image with lago in its name.
PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # One-off containers: key generation, dumps, clients, consoles.
    (
        "",
        (
            "*scripts/generate.rsa.sh*",
            "*postgres* *pg_dump*",
            "*postgres* *pg_basebackup*",
            "*postgres* psql *",
            "*postgres* *psql -h*",
            "*postgres* *pg_restore*",
            "*redis* redis-cli *",
            "*valkey* valkey-cli *",
            "*lago* sleep infinity*",
            "*lago* /bin/sleep infinity*",
            "*lago* tail -f /dev/null*",
            "*lago* *rails console*",
            "*lago* *rails runner*",
        ),
    ),
    (PROXY, ("traefik:*", "*/traefik:*", "traefik@*", "*/traefik@*")),
    (PDF, ("*gotenberg*", "*lago-pdf*")),
    (FRONT, ("*getlago/front*", "*lago-front*", "*lago_front*")),
    (GATEWAY, ("*brain*gateway*", "*/gateway:*", "*brain-api*")),
    (
        API,
        (
            "*scripts/start.api.sh*",
            "*scripts/start.sh*",
            "*lago* *rails s *",
            "*lago* *rails server*",
            "*lago* *puma*",
        ),
    ),
    (
        WORKER,
        (
            "*scripts/start.worker.sh*",
            "*scripts/start.*.worker.sh*",
            "*lago* *worker.sh*",
            "*lago* *sidekiq*",
        ),
    ),
    (CLOCK, ("*scripts/start.clock.sh*", "*lago* *clock.sh*", "*lago* *clockwork*")),
    (
        MIGRATE,
        (
            "*scripts/migrate.sh*",
            "*scripts/start.migrate.sh*",
            "*lago* *migrate.sh*",
            "*lago* *db:migrate*",
            "*getlago/api* *db:*",
        ),
    ),
    (
        DB,
        (
            "postgres:*",
            "*/postgres:*",
            "postgres@*",
            "*/postgres@*",
            "*postgres-partman*",
            "*postgis*",
            "*/timescaledb*",
        ),
    ),
    (REDIS, ("redis:*", "*/redis:*", "redis@*", "*/redis@*", "valkey*", "*/valkey*", "*redis-stack*")),
    (API, ("*getlago/api*", "*lago-api*", "*lago_api*")),
)


def role_of(image: str, command: str, labels: Mapping[str, str] | None = None) -> str | None:
    """The role of a service, or None if it is not part of Lago.

    ``image`` with or without its tag; ``command`` is entrypoint and command joined by spaces ("" for the
    image's own; the API image's is ``./scripts/start.sh``, which serves the API).
    """
    declared = (labels or {}).get(LABEL)
    if declared in ALL:
        return declared
    named = image if ":" in image.rsplit("/", 1)[-1] or "@" in image else f"{image}:latest"
    text = f"{named} {command} "
    return (
        next((role for role, patterns in PATTERNS if any(_fits(each, text) for each in patterns)), None)
        or None
    )


def _fits(pattern: str, text: str) -> bool:
    """Whether a pattern of the table matches a text or a prefix of it. In one pass: a regular expression takes minutes for
    a command of 250 kB."""
    first, *others = pattern.removesuffix("*").split("*")
    if not text.startswith(first):
        return False
    at = len(first)
    for part in others:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def regular_expression(pattern: str) -> str:
    """A pattern of the table as a regular expression for awk. It may match a prefix of the text."""
    parts = [re.sub(r"[^A-Za-z0-9 :@_-]", r"\\\g<0>", part) for part in pattern.removesuffix("*").split("*")]
    return ".*".join(parts).removeprefix(".*") if pattern.startswith("*") else "^" + ".*".join(parts)
