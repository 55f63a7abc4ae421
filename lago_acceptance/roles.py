"""What a service is to Lago, found from its image, command and labels, never from its name.

One table serves Python and the shell script that reads a Docker host (``as_shell_case``), so that both agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

DB, REDIS, MIGRATE, API, WORKER, CLOCK = "db", "redis", "migrate", "api", "worker", "clock"
FRONT, PDF, PROXY, GATEWAY = "front", "pdf", "proxy", "gateway"
LAGO_RUBY = (MIGRATE, API, WORKER, CLOCK)
ALL = (DB, REDIS, MIGRATE, API, WORKER, CLOCK, FRONT, PDF, PROXY, GATEWAY)
LABEL = "lago-acceptance.role"

# Matched against "<image> <entrypoint and command>", in order. Scripts: Lago sheet, section 1.1. A script's name
# is enough; a bare `sidekiq` or `rails s` is Lago's only in an image that is called so.
PATTERNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # These do one thing and end: they make a key, a dump, or are somebody's console.
    (
        "",
        (
            "*scripts/generate.rsa.sh*",
            "*postgres* *pg_dump*",
            "*postgres* *pg_basebackup*",
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
    """The role of a service, or None where it is none of Lago's.

    ``image`` with or without its tag; ``command`` is entrypoint and command joined by spaces ("" where the
    image's own are used: for the API image those are ``./scripts/start.sh``, which serves the API).
    """
    declared = (labels or {}).get(LABEL)
    if declared in ALL:
        return declared
    named = image if ":" in image.rsplit("/", 1)[-1] or "@" in image else f"{image}:latest"
    text = f"{named} {command} "
    for role, patterns in PATTERNS:
        if any(fnmatchcase(text, pattern) or fnmatchcase(named, pattern) for pattern in patterns):
            return role or None
    return None


def as_shell_case(variable: str) -> str:
    """The table as a POSIX ``case`` over ``$variable`` ("<image> <command> "), setting ``role``.

    Patterns of this table hold nothing that the shell reads differently, apart from blanks, which are quoted.
    """
    arms = []
    for role, patterns in PATTERNS:
        alternatives = "|".join(
            (pattern if pattern.endswith("*") else f"{pattern}*").replace(" ", '" "') for pattern in patterns
        )
        arms.append(f"    {alternatives}) role={role} ;;")
    return f'case "${variable}" in\n' + "\n".join(arms) + "\n    *) role= ;;\nesac"
